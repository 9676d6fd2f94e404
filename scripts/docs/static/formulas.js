// Sets the formulas of a page.
document.querySelectorAll(".formula").forEach((element) => {
  katex.render(element.textContent, element, {
    displayMode: element.classList.contains("display"),
    throwOnError: false,
  });
});
