// The only script of our pages. Everything it does is an addition: without it the pages can be read and their forms work.
(() => {
  "use strict";
  const root = document.documentElement;
  const store = {
    get(key) { try { return localStorage.getItem(key); } catch { return null; } },
    set(key, value) { try { value === null ? localStorage.removeItem(key) : localStorage.setItem(key, value); } catch { /* private window */ } },
  };

  // Before the first paint: the theme that was chosen, and a mark that scripts run.
  root.classList.add("js");
  const theme = store.get("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

  function switchTheme() {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const next = (root.dataset.theme || system) === "dark" ? "light" : "dark";
    // Back at what the system says: follow the system again.
    if (next === system) { delete root.dataset.theme; store.set("theme", null); }
    else { root.dataset.theme = next; store.set("theme", next); }
  }

  async function copy(button) {
    const words = $(".copy-word", button);
    if (!words.dataset.words) words.dataset.words = words.textContent;
    try { await navigator.clipboard.writeText(button.dataset.copy); words.textContent = "Copied"; }
    catch { words.textContent = "Select and copy it"; }
    setTimeout(() => { words.textContent = words.dataset.words; }, 2000);
  }

  // Segments as carriers count them (3GPP TS 23.038): GSM-7 160 or 153 a part, else UCS-2 70 or 67 units.
  const GSM = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
  const GSM_TWO = new Set("\f^{}\\[~]|€");
  function segments(text) {
    const chars = [...text];
    const unicode = chars.some((c) => !GSM.has(c) && !GSM_TWO.has(c));
    const sizes = chars.map((c) => (unicode ? c.length : GSM_TWO.has(c) ? 2 : 1));
    const units = sizes.reduce((sum, size) => sum + size, 0);
    const single = unicode ? 70 : 160, part = unicode ? 67 : 153;
    if (units <= single) return { unicode, units, count: 1, room: single };
    // A character that takes two units is never cut in half between parts.
    let count = 1, used = 0;
    for (const size of sizes) { if (used + size > part) { count += 1; used = 0; } used += size; }
    return { unicode, units, count, room: count * part };
  }
  function counterWords(text) {
    if (!text) return "Up to 160 characters are one segment";
    const { unicode, units, count, room } = segments(text);
    return `${count} segment${count === 1 ? "" : "s"} · ${units} of ${room}${unicode ? " · Unicode" : ""}`;
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-switch]")) switchTheme();
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });

  document.addEventListener("DOMContentLoaded", () => { if ($("[data-sim]")) simulator($("[data-sim]")); });

  function simulator(page) {
    const SENDER = page.dataset.sender;
    const row = $("[data-phones]"), tabs = $("[data-tabs]"), add = $("[data-add]");
    const phones = new Map(); // number -> phone on the screen
    // An untouched phone is the model for every further one.
    const model = $("[data-phone]").cloneNode(true);
    $("[data-thread]", model).replaceChildren();
    $("[data-empty]", model).hidden = true;
    $$(".composer .error", model).forEach((error) => error.remove());
    $("[data-text]", model).value = "";

    const wording = (number) => {
      const us = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number);
      return us ? `(${us[1]}) ${us[2]}-${us[3]}` : number;
    };
    const read = (key) => { try { const list = JSON.parse(store.get(key)); return Array.isArray(list) ? list.filter((n) => /^\+\d{7,15}$/.test(n)) : []; } catch { return []; } };
    const served = $$("[data-tab]", tabs).map((tab) => tab.dataset.tab);
    const first = $("[data-phone]").dataset.phone;
    const away = new Set(read("phones.away"));
    let numbers = [...new Set([...served, ...read("phones"), first])].filter((n) => n === first || !away.has(n));
    let shown = [first]; // numbers on the screen, the one used last at the end
    let width = 0;

    // How many phones fit beside each other: one on a small screen, at most three.
    const places = () => (innerWidth < 720 ? 1 : Math.max(1, Math.min(3, Math.floor((Math.min(innerWidth, 1648) - 48 + 24) / 414))));

    function keep() {
      store.set("phones", JSON.stringify(numbers));
      store.set("phones.away", JSON.stringify([...away]));
    }

    function layout(focus) {
      shown = shown.filter((n) => numbers.includes(n)).slice(-places());
      for (const n of numbers) if (shown.length < Math.min(places(), 2)) { if (!shown.includes(n)) shown.unshift(n); }
      const order = numbers.filter((n) => shown.includes(n));
      for (const [number, phone] of phones) if (!order.includes(number)) { phone.close(); phone.element.remove(); phones.delete(number); }
      order.forEach((number, at) => {
        if (!phones.has(number)) {
          const served = $(`[data-phone="${number}"]`, row);
          phones.set(number, openPhone(number, served || blank(number)));
        }
        const element = phones.get(number).element;
        if (row.children[at] !== element) row.insertBefore(element, row.children[at] || null);
        $("[data-close]", element).hidden = numbers.length < 2;
      });
      page.dataset.count = order.length;
      tabs.replaceChildren(...numbers.map((number) => {
        const tab = document.createElement("a");
        tab.className = "tab";
        tab.href = `/simulator?phone=${encodeURIComponent(number)}`;
        tab.dataset.tab = number;
        tab.textContent = wording(number);
        if (order.includes(number)) tab.setAttribute("aria-current", "true");
        return tab;
      }));
      if (focus) {
        const tab = $(`[data-tab="${focus}"]`, tabs);
        if (tab) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
      }
      propose();
    }

    function blank(number) {
      const element = model.cloneNode(true);
      element.dataset.phone = number;
      element.setAttribute("aria-label", `Phone ${wording(number)}`);
      $("[data-number]", element).textContent = wording(number);
      $("[data-close]", element).setAttribute("aria-label", `Put the phone ${wording(number)} away`);
      $$('input[name="from"]', element).forEach((input) => { input.value = number; });
      return element;
    }

    function show(number) {
      shown = [...shown.filter((n) => n !== number), number];
      layout(number);
      const phone = phones.get(number);
      if (phone && matchMedia("(pointer: fine)").matches) $("[data-text]", phone.element).focus();
    }

    function propose() {
      let last = 123;
      while (numbers.includes(`+12025550${last}`) && last < 199) last += 1;
      $("#add-phone").value = `+12025550${last}`;
    }

    tabs.addEventListener("click", (event) => {
      const tab = event.target.closest("[data-tab]");
      if (!tab || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      show(tab.dataset.tab);
      history.replaceState(null, "", tab.href);
    });
    $("form", add).addEventListener("submit", (event) => {
      event.preventDefault();
      const field = $("#add-phone"), error = $("#add-error");
      let number = field.value.replace(/[\s().-]/g, "");
      if (/^\d{10}$/.test(number)) number = `+1${number}`;
      if (!/^\+[1-9]\d{6,14}$/.test(number)) {
        $("span", error).textContent = "Write it with + and its country code, like +12025550188.";
        error.hidden = false;
        field.setAttribute("aria-invalid", "true");
        field.focus();
        return;
      }
      error.hidden = true;
      field.removeAttribute("aria-invalid");
      add.open = false;
      away.delete(number);
      if (!numbers.includes(number)) numbers.push(number);
      keep();
      show(number);
    });
    add.addEventListener("toggle", () => { if (add.open) $("#add-phone").select(); });
    document.addEventListener("click", (event) => { if (!event.target.closest("[data-add]")) add.open = false; });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && add.open) { add.open = false; $("summary", add).focus(); }
    });
    row.addEventListener("click", (event) => {
      const close = event.target.closest("[data-close]");
      if (close) {
        const number = close.closest("[data-phone]").dataset.phone;
        numbers = numbers.filter((n) => n !== number);
        away.add(number);
        keep();
        layout();
        const next = $("[data-text]", row);
        if (next) next.focus();
        return;
      }
      // A tap anywhere on a bubble unfolds it, unless it was meant for something inside or selects text.
      const bubble = event.target.closest(".bubble");
      if (bubble && !event.target.closest("a, button, summary, dl") && String(getSelection()) === "") {
        const details = $("details", bubble);
        if (details) details.open = !details.open;
      }
    });
    // What unfolds below the edge is brought into sight. (The event does not bubble.)
    row.addEventListener("toggle", (event) => { if (event.target.open) event.target.scrollIntoView({ block: "nearest" }); }, true);
    addEventListener("resize", () => { if (places() !== width) { width = places(); layout(shown.at(-1)); } });
    // A hidden page gives its connections back: browsers allow six to one host.
    document.addEventListener("visibilitychange", () => {
      for (const phone of phones.values()) document.hidden ? phone.close() : phone.listen();
    });
    width = places();
    keep();
    layout(first);

    function openPhone(number, element) {
      const thread = $("[data-thread]", element), scroller = $("[data-scroller]", element);
      const typing = $("[data-typing]", element), field = $("[data-text]", element), counter = $("[data-counter]", element);
      const query = `phone=${encodeURIComponent(number)}`;
      const seen = new Map(); // message id -> its bubble
      let events = null, waits = null, wanted = true;

      const bottom = () => { scroller.scrollTop = scroller.scrollHeight; };
      const atBottom = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
      const empty = () => { $("[data-empty]", element).hidden = thread.childElementCount > 0; };

      function wait(on) {
        clearTimeout(waits);
        typing.hidden = !on;
        // Some texts get no answer on purpose; the dots then end by themselves.
        if (on) { waits = setTimeout(() => { typing.hidden = true; }, 8000); bottom(); }
      }

      function put(message) {
        const stick = atBottom();
        let old = seen.get(message.id);
        if (!old && message.direction === "mo") old = $$(".is-pending", thread).find((li) => li.dataset.text === message.text);
        const li = bubble(message, number);
        if (old) {
          const before = $("details", old), after = $("details", li);
          if (before && after) after.open = before.open;
          old.replaceWith(li);
        } else {
          const next = [...thread.children].find((other) => other.dataset.at > li.dataset.at && !other.classList.contains("is-pending"));
          thread.insertBefore(li, next || null);
          if (message.direction === "mt") wait(false);
        }
        seen.set(message.id, li);
        empty();
        if (stick || message.direction === "mo") bottom();
      }

      async function refresh() {
        const before = new Set($$("[data-id]", thread).map((li) => li.dataset.id));
        const answer = await fetch(`/simulator/messages?${query}`, { headers: { accept: "application/json" } });
        if (!answer.ok) throw new Error(`messages: ${answer.status}`);
        const { data } = await answer.json();
        $$(".skeleton", thread).forEach((li) => li.remove());
        const known = new Set(data.map((message) => message.id));
        for (const li of [...thread.children]) if (before.has(li.dataset.id) && !known.has(li.dataset.id)) { seen.delete(li.dataset.id); li.remove(); }
        data.forEach(put);
        empty();
        $("[data-lost]", element).hidden = true;
      }
      const lost = () => { $("[data-lost]", element).hidden = false; $$(".skeleton", thread).forEach((li) => li.remove()); };

      function listen() {
        wanted = true;
        if (events) return;
        events = new EventSource(`/simulator/events?${query}`);
        // Each (re)connection reads the whole list once: nothing that came in between is missed.
        events.addEventListener("open", () => { refresh().catch(lost); });
        events.addEventListener("message", (event) => { put(JSON.parse(event.data)); });
        events.addEventListener("error", () => {
          if (!wanted) return;
          lost();
          if (events && events.readyState === EventSource.CLOSED) { events = null; setTimeout(() => { if (wanted) listen(); }, 3000); }
        });
      }
      function close() {
        wanted = false;
        if (events) { events.close(); events = null; }
      }

      async function send(text) {
        const li = bubble({ id: "", direction: "mo", text, at: new Date().toISOString(), status: "pending" }, number);
        li.classList.add("is-pending");
        li.dataset.text = text;
        thread.append(li);
        empty();
        wait(true);
        try {
          const answer = await fetch("/simulator/messages", {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ from: number, to: SENDER, text }),
          });
          if (!answer.ok) throw new Error(await reason(answer));
          const { id } = await answer.json();
          if (li.isConnected) {
            // The event may have come first and brought its own bubble.
            if (seen.has(id)) li.remove();
            else { li.dataset.id = id; li.dataset.status = "submitted"; seen.set(id, li); }
          }
          if (!events) refresh().catch(lost);
        } catch (error) {
          wait(false);
          if (!li.isConnected) return;
          li.classList.add("is-failed");
          li.classList.remove("is-pending");
          li.dataset.status = "failed";
          const retry = document.createElement("button");
          retry.type = "button";
          retry.className = "retry";
          retry.textContent = `Not sent: ${error instanceof TypeError ? "no connection" : error.message}. Try again`;
          retry.addEventListener("click", () => { li.remove(); retry.remove(); send(text); });
          li.after(retry);
          bottom();
        }
      }

      function count() {
        counter.textContent = counterWords(field.value);
        counter.classList.toggle("is-long", field.value !== "" && segments(field.value).count > 1);
      }
      field.addEventListener("input", count);
      element.addEventListener("submit", (event) => {
        event.preventDefault();
        const chip = event.submitter && event.submitter.dataset.chip;
        const text = chip || field.value.trim();
        if (!text) return;
        if (!chip) { field.value = ""; count(); }
        $$(".composer .error", element).forEach((error) => error.remove());
        send(text);
      });

      for (const li of thread.children) seen.set(li.dataset.id, li);
      if (!element.isConnected) for (let n = 0; n < 2; n += 1) { const li = document.createElement("li"); li.className = "skeleton"; thread.append(li); }
      count();
      requestAnimationFrame(bottom);
      // In a tab in the background: what there is; the rest comes when somebody looks.
      if (document.hidden) refresh().catch(lost); else listen();
      return { element, listen, close };
    }
  }

  async function reason(answer) {
    try { const problem = await answer.json(); return problem.detail || problem.title || `answer ${answer.status}`; }
    catch { return `answer ${answer.status}`; }
  }

  // Bubbles: the same markup as the server's template bubble.html.
  const STATUS = {
    pending: "Being sent", received: "Received", queued: "Waiting to be sent", submitting: "Sent", submitted: "Sent", sent: "Sent",
    delivered: "Delivered", failed: "Not delivered", undelivered: "Not delivered", rejected: "Not delivered", dropped: "Not delivered", cancelled: "Not delivered",
  };
  const OUTCOME = { issued: "Code issued", repeat: "Same code again", refused: "Refused", held: "Promised, the code follows" };
  const ICONS = [
    '<circle cx="10" cy="10" r="7.5"/><path d="M10 5.5V10l3 2"/>',
    '<path d="m4.5 10.5 4 4 7.5-9"/>',
    '<path d="m1.5 10.5 4 4 7.5-9M10 13.3l1.2 1.2 7.3-9"/>',
    '<path d="M10 3 2.5 16.5h15L10 3Z"/><path d="M10 8v4M10 14.2v.1"/>',
    '<path d="m5 7.5 5 5 5-5"/>',
    '<rect x="7" y="7" width="10" height="10" rx="2"/><path d="M13 7V5a2 2 0 0 0-2-2H5a2 2 0 0 0-2 2v6a2 2 0 0 0 2 2h2"/>',
  ];
  const icon = (n) => `<svg class="icon" viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${ICONS[n]}</svg>`;
  const LINK = /^(https?:\/\/\S+|[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?\/\S+)$/i;
  const CODE = /^(?=.{8,})(?=.*[A-Z])[A-Z0-9]{2,}(-[A-Z0-9]{2,})+$/;

  function make(tag, name, text) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  }
  function drawn(name, ...icons) {
    const span = make("span", name);
    span.innerHTML = icons.map(icon).join(""); // our own constant markup, never a message
    return span;
  }
  function clock(at) {
    const then = new Date(at), time = then.toLocaleTimeString("en-US", { hour: "numeric", minute: "2-digit" });
    if (then.toDateString() === new Date().toDateString()) return time;
    return `${then.getDate()} ${then.toLocaleDateString("en-US", { month: "short" })}, ${time}`;
  }
  function words(text) { const plain = String(text).replaceAll("_", " "); return plain.charAt(0).toUpperCase() + plain.slice(1); }

  function copyButton(value, label) {
    const button = make("button", "copy");
    button.type = "button";
    button.dataset.copy = value;
    button.append(...drawn("", 5).childNodes, make("span", "copy-word", label));
    return button;
  }

  function writeText(into, text) {
    let code = null;
    for (const chunk of text.split(/(\s+)/)) {
      const core = chunk.replace(/^\(+/, "").replace(/[.,;:!?)]+$/, "");
      const at = chunk.indexOf(core);
      if (!core || !(LINK.test(core) || CODE.test(core))) { into.append(chunk); continue; }
      into.append(chunk.slice(0, at));
      if (LINK.test(core)) {
        const link = make("a", "", core);
        link.href = /^https?:/i.test(core) ? core : `//${core}`;
        into.append(link);
      } else {
        code = code || core;
        const span = make("span", "bubble-code", core);
        span.dataset.code = "";
        into.append(span);
      }
      into.append(chunk.slice(at + core.length));
    }
    into.normalize();
    return code;
  }

  function facts(message) {
    const rows = [["Message", message.id], ["Status", STATUS[message.status] || words(message.status)]];
    if (message.segments) rows.push(["Segments", String(message.segments)]);
    if (message.decision) rows.push(["Decision", message.decision]);
    const why = message.explain;
    if (why) {
      if (why.outcome) rows.push(["Outcome", OUTCOME[why.outcome] || words(why.outcome)]);
      if (why.campaign) rows.push(["Campaign", why.campaign]);
      if (why.rule) rows.push(["Rule", why.outcome === "repeat" ? `Asked again, code ${words(why.rule).toLowerCase()}` : words(why.rule)]);
      if (why.cap) rows.push(["Cap", words(why.cap)]);
      if (why.limit !== undefined && why.limit !== null) rows.push(["Used", `${(why.used ?? 0).toLocaleString("en-US")} of ${why.limit.toLocaleString("en-US")}`]);
      if (why.resets_at) rows.push(["Resets", clock(why.resets_at)]);
      if (why.peer) {
        rows.push(["Peer asked", `${why.peer.name}: ${why.peer.asked}`]);
        rows.push(["Peer answered", `${why.peer.answered}, ${why.peer.took_ms} ms`]);
      }
    }
    return rows;
  }

  function bubble(message) {
    const hers = message.direction === "mo";
    const li = make("li", `bubble ${hers ? "hers" : "ours"}`);
    if (STATUS[message.status] === "Not delivered") li.classList.add("is-failed");
    if (message.id) li.dataset.id = message.id;
    li.dataset.direction = message.direction;
    li.dataset.status = message.status;
    li.dataset.at = new Date(message.at).toISOString();
    const text = make("p", "bubble-text");
    const code = writeText(text, message.text);
    li.append(text);
    if (code && !hers) li.append(copyButton(code, "Copy code"));
    const details = make("details"), summary = make("summary"), time = make("time", "", clock(message.at));
    time.dateTime = message.at;
    summary.append(time, drawn("ticks", 0, 1, 2, 3), make("span", "sr status-word", STATUS[message.status] || words(message.status)), drawn("unfold", 4));
    const list = make("dl", "details");
    for (const [label, value] of facts(message)) {
      const line = make("div"), isId = label === "Message" || label === "Decision";
      line.append(make("dt", "", label), make("dd", isId ? "id" : "", isId ? undefined : value));
      if (isId) line.lastChild.append(make("span", "id-text", value), copyButton(value, "Copy"));
      list.append(line);
    }
    details.append(summary, list);
    li.append(details);
    return li;
  }
})();
