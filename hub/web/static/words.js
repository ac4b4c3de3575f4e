// What a script says comes with the page, in its language: `{name}` in a text stands for a value.
export const wordsOf = (element) => {
  const words = JSON.parse(element.dataset.say);
  return (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
};
