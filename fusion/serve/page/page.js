// Clinical pictures are judged on one background, whatever the computer prefers; and gradio's places for files do not
// say what they are for.
new MutationObserver(() => {
  document.body?.classList.remove("dark");
  for (const label of document.querySelectorAll(".block > label[data-testid=block-label]")) {
    for (const own of label.parentElement.querySelectorAll("[aria-label='Click to upload or drop files'], input[type=file]")) {
      const words = `${label.textContent.trim()}: choose or drop a file`;
      if (own.ariaLabel !== words) own.ariaLabel = words;
    }
  }
}).observe(document.documentElement, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });

// Files may be named after patients: what is sent has the suffix alone.
function nameless(files) {
  const kept = new DataTransfer();
  for (const own of files) {
    const suffix = /(\.nii\.gz|\.[a-z0-9]{1,8})$/i.exec(own.name)?.[0] ?? "";
    kept.items.add(new File([own], `file${suffix}`, { type: own.type }));
  }
  return kept.files;
}
addEventListener("change", (event) => {
  if (event.target.type === "file" && event.target.files.length) event.target.files = nameless(event.target.files);
}, true);
addEventListener("drop", (event) => {
  const place = event.target.closest?.(".block")?.querySelector("input[type=file]");
  if (!place || !event.dataTransfer?.files.length) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  place.files = nameless(event.dataTransfer.files);
  place.dispatchEvent(new Event("change", { bubbles: true }));
}, true);
