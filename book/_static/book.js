// What the theme leaves open, on every page. It runs before the theme's own scripts.

// On a first visit nothing is chosen yet; the theme would report that as an error.
document.documentElement.dataset.mode ||= "auto";

// A page opened from the folder may not read others: the search's excerpts come from a script.
if (location.protocol === "file:" && document.querySelector("#search-results")) {
  const loaded = new Promise((done) => {
    const texts = Object.assign(document.createElement("script"), { onload: done });
    texts.src = "_static/search_texts.js";
    document.head.append(texts);
  });
  window.fetch = async (address) => {
    await loaded;
    const page = document.createElement("div");
    page.setAttribute("role", "main");
    const root = new URL(".", location).href;
    page.textContent = SEARCH_TEXTS[new URL(address, location).href.slice(root.length)];
    return new Response(page.outerHTML);
  };
}

// Buttons go by the name that they show, so that speech control finds them.
for (const button of document.querySelectorAll(".search-button-field, .theme-switch-button")) {
  button.removeAttribute("aria-label");
}
