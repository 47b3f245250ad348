// Times that people choose are in their own zone; without scripts they are in
// UTC, as the form says.
function asField(at) {
  return new Date(at.getTime() - at.getTimezoneOffset() * MINUTE).toISOString().slice(0, 16);
}

for (const field of document.querySelectorAll('input[type="datetime-local"]')) {
  const zone = field.form.elements.zone;
  if (field.dataset.utc) field.value = asField(new Date(field.dataset.utc));
  field.form.querySelector("[data-zone]").remove();
  // Of the chosen day, which may be in another half of the year.
  const update = () => { zone.value = field.value ? new Date(field.value).getTimezoneOffset() : 0; };
  field.addEventListener("input", update);
  addEventListener("pageshow", update);
  update();
}
