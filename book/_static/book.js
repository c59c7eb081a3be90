// What the theme leaves open, on every page. It runs before the theme's own scripts.

// On a first visit nothing is chosen yet; the theme would report that as an error.
document.documentElement.dataset.mode ||= "auto";

// A page opened from the folder may not read others: the search lists titles without excerpts.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// Buttons go by the name that they show, so that speech control finds them.
for (const button of document.querySelectorAll(".search-button-field, .theme-switch-button")) {
  button.removeAttribute("aria-label");
}
