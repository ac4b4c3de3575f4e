// A badge scanner ends with Enter: that leads on to the PIN.
const badge = document.getElementById("badge");
const pin = document.getElementById("pin");

badge.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && badge.value.trim() && !pin.value) {
    event.preventDefault();
    pin.focus();
  }
});
