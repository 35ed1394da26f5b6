/**
 * Asks for the map of a link or a click at once. Between the press and Dash's own call lie several
 * turns of its renderer, about as long as the server takes to answer.
 *
 * The call is the one that Dash is about to make, to the letter: its last one with what the page
 * holds now and what the press changes. When Dash makes it, it gets the answer that is on its way.
 * Where Dash asks for anything else, this one is given up, so a wrong guess costs a request and
 * shows nothing.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  /** Longest time until Dash asks; later the map goes back to what Dash has. */
  const PATIENCE_MS = 3000;
  const ADDRESS = 'address.data';
  let last = null; // Dash's last call for a map
  let ahead = null; // the call that is expected of it

  /** @param {string} id @returns {object} properties that a component of the page has now */
  function held(id) {
    const found = window.dash_component_api.getLayout(id);
    return (found && found.props) || {};
  }

  /**
   * @param {string} trigger `id.property`
   * @param {Object<string, *>} changed values that Dash will have when it asks, by `id.property`
   * @returns {string} body of its call
   */
  function expected(trigger, changed) {
    const body = JSON.parse(last.options.body);
    body.inputs.concat(body.state).forEach(function (part) {
      const name = part.id + '.' + part.property;
      const value = Object.hasOwn(changed, name) ? changed[name] : held(part.id)[part.property];
      if (value === undefined) delete part.value;
      else part.value = value;
    });
    body.changedPropIds = [trigger];
    body.parsedChangedPropsIds = [trigger];
    return JSON.stringify(body);
  }

  function giveUp() {
    if (!ahead) return;
    clearTimeout(ahead.timer);
    ahead.control.abort();
    ahead = null;
    PinganMap.dropAhead();
  }

  /**
   * @param {string} trigger `id.property` of what is about to change
   * @param {Object<string, *>} changed
   */
  function ask(trigger, changed) {
    giveUp();
    if (!last || !window.dash_component_api || document.hidden) return;
    if (PinganMap.firstCall.isOpen() || PinganMap.isAhead()) return; // its answer changes the page
    const control = new AbortController();
    const body = expected(trigger, changed);
    const options = Object.assign({}, last.options, { body: body, signal: control.signal });
    const answer = PinganMap.firstCall.ask(last.address, options);
    answer.catch(function () { /* Dash meets it when it asks, or nobody does */ });
    ahead = { body: body, answer: answer, control: control,
      timer: setTimeout(giveUp, PATIENCE_MS) };
  }

  /**
   * @param {string} address
   * @param {object} options of Dash's call
   * @returns {?Promise<Response>} the answer that is on its way already, if any
   */
  PinganMap.askedAhead = function (address, options) {
    last = { address: address, options: options };
    if (!ahead || ahead.body !== options.body) {
      giveUp();
      return null;
    }
    const answer = ahead.answer;
    clearTimeout(ahead.timer);
    ahead = null;
    return answer;
  };

  /** The address has changed: a link, or the browser's way back. */
  function addressChanged() {
    const here = window.location;
    if (here.pathname !== '/' || !last) return;
    const view = held('map-view').data;
    if (!view || view.search === here.search) return; // Dash will not ask
    ask(ADDRESS, { [ADDRESS]: (held('address').data || 0) + 1, 'url.search': here.search,
      'url.hash': here.hash, 'url.pathname': here.pathname });
  }

  /** @param {object} event as it goes to the store of the map's events */
  PinganMap.askEvent = function (event) { ask('map-event.data', { 'map-event.data': event }); };

  window.addEventListener('_dashprivate_pushstate', addressChanged);
  window.addEventListener('popstate', addressChanged);
}());
