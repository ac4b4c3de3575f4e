// Names that are mixed up: the button that is pressed says what is decided, and a reason is asked for either way.
import { ruleByForms } from "./ruled_form.js";

ruleByForms("[data-pair]", {
  path: "/api/look-alikes",
  key: "dosehub-pair-told",
  bodyOf: ({ dataset: { first, second } }, decision) => ({ first, second, decision }),
  toldOf: ({ dataset: { first, second, done } }, _, { drugs }) => `${first} / ${second}. ${done.replace("{drugs}", drugs)}`,
});
