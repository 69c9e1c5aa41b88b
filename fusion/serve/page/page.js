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
