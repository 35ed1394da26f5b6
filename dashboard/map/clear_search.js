/* A new address has answered the search: its text and results go. */
function clearSearch(search, text) {
  return text ? '' : window.dash_clientside.no_update;
}
