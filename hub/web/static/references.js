// Reference looks: the button that is pressed says what is done with the look of a lot.
import { ruleByForms } from "./ruled_form.js";

ruleByForms("[data-reference]", {
  path: "/api/references",
  key: "dosehub-reference-told",
  bodyOf: ({ dataset: { item, lot, shown } }, deed) => ({ item, lot, shown, deed }),
  toldOf: ({ dataset: { item, lot, done } }, button) => `${item} / ${lot}. ${done.replace("{state}", button.textContent)}`,
});
