// What the pages do by themselves. It stands in the head, so that the theme is there at once.
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, within = document) => within.querySelectorAll(selector);
  const keep = (name, value) => {
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `${name}=${value}; path=${root.dataset.prefix || "/"}; max-age=31536000; samesite=lax${secure}`;
  };

  // --- theme and time zone ---
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => {
    const chosen = root.dataset.theme;
    root.dataset.bsTheme = chosen === "auto" ? (dark.matches ? "dark" : "light") : chosen;
    for (const button of all("[data-theme-switch]"))
      button.textContent = root.dataset.bsTheme === "dark" ? button.dataset.light : button.dataset.dark;
  };
  dark.addEventListener("change", paint);
  paint();
  if (!/(^|; )twofold_zone=/.test(document.cookie))
    keep("twofold_zone", Intl.DateTimeFormat().resolvedOptions().timeZone);

  // --- live numbers ---
  let texts = null;
  let up = false;
  let paused = false;
  const patch = (within = document) => {
    if (!texts || paused) return;
    for (const place of all("[data-live]", within)) {
      const text = texts[place.dataset.live];
      if (text !== undefined && place.textContent !== text) place.textContent = text;
    }
    for (const place of all("[data-live-attributes]", within))
      for (const pair of place.dataset.liveAttributes.split(" ")) {
        const [name, key] = pair.split("=");
        if (texts[key] !== undefined && place.getAttribute(name) !== texts[key])
          place.setAttribute(name, texts[key]);
      }
  };
  const badge = () => {
    for (const place of all("[data-live-state]")) {
      const state = paused ? "held" : up ? "on" : "off";
      place.dataset.liveState = state;
      if (place.textContent !== place.dataset[state]) place.textContent = place.dataset[state];
    }
  };
  const news = (message) => {
    up = message.up;
    texts = message.texts || texts;
    patch();
    badge();
  };
  const listen = () => {
    const { stream, listener } = document.body.dataset;
    if (!stream) return;
    if (window.SharedWorker) {
      const worker = new SharedWorker(listener, { name: stream });
      worker.port.onmessage = (event) => news(event.data);
      addEventListener("pagehide", () => worker.port.postMessage("gone"), { once: true });
      return;
    }
    const source = new EventSource(stream);
    source.onopen = () => news({ up: true });
    source.onerror = () => news({ up: false });
    source.addEventListener("syncs", (event) => news({ up: true, texts: JSON.parse(event.data) }));
    addEventListener("pagehide", () => source.close(), { once: true });
  };
  addEventListener("pageshow", (event) => event.persisted && listen());

  // --- dialogs: native ones, which keep focus inside, close on Esc and give focus back ---
  const show = (dialog) => {
    if (dialog.open) return;
    dialog.showModal();
    const toasts = document.getElementById("toasts"); // what lies behind a dialog is neither seen nor read out
    dialog.append(toasts);
    dialog.addEventListener("close", () => {
      document.body.append(toasts);
      for (const link of all("a[href]")) if (link.getAttribute("href") === dialog.dataset.from) link.focus();
      if (dialog.dataset.back) history.replaceState(null, "", dialog.dataset.back);
    }, { once: true });
  };
  const prepare = (within) => {
    for (const dialog of all("dialog[data-open]", within)) show(dialog);
    for (const place of all("[data-dismiss-after]", within))
      setTimeout(() => place.remove(), Number(place.dataset.dismissAfter));
    patch(within);
    badge();
  };

  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest(selector);
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    const opens = on("[data-opens]");
    if (opens) {
      for (const menu of all("details.menu[open]")) menu.open = false;
      show(document.getElementById(opens.dataset.opens));
    }
    if (on("[data-closes]") || event.target.matches("dialog[data-open]")) on("dialog").close();
    if (on("[data-dismiss]")) on(".toast-box").remove();
    if (on("[data-theme-switch]")) {
      root.dataset.theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
      keep("twofold_theme", root.dataset.theme);
      paint();
    }
    const pause = on("[data-live-pause]");
    if (pause) {
      paused = !paused;
      pause.setAttribute("aria-pressed", String(paused));
      patch();
      badge();
    }
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    const menu = event.key === "Escape" && event.target.closest("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    const search = document.querySelector("[data-search]");
    const wanted = (event.key === "/" && !typing) || (event.key === "k" && (event.metaKey || event.ctrlKey));
    if (search && wanted && !event.altKey) {
      event.preventDefault();
      search.focus();
    }
  });
  // What is deleted for good is named first: the button waits for the name.
  document.addEventListener("input", (event) => {
    const wanted = event.target.dataset.mustEqual;
    if (wanted !== undefined)
      event.target.form.querySelector("[data-when-equal]").disabled = event.target.value.trim() !== wanted;
  });
  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent && !form.hasAttribute("hx-post")) event.preventDefault();
    else if (form.method === "post") form.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => { for (const form of all("form[data-sent]")) delete form.dataset.sent; });

  document.addEventListener("DOMContentLoaded", () => {
    paint();
    const secret = document.querySelector("[data-from-fragment]");
    if (secret && location.hash.length > 1) {
      secret.value = location.hash.slice(1);
      history.replaceState(null, "", location.pathname);
    }
    prepare(document);
    listen();
    document.body.addEventListener("htmx:configRequest", (event) => {
      event.detail.headers["X-Form-Token"] = document.querySelector("meta[name=form-token]").content;
    });
    document.body.addEventListener("htmx:load", (event) => prepare(event.target));
  });
})();
