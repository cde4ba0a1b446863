// Makes the status page live: on an event of the daemon the same page is asked for again, and its live parts
// replace those that are shown. The page is made by the daemon alone; nothing is made of text here.
"use strict";

(() => {
  const QUIET = 1000;    // ms between two looks, however much happens
  const REGULAR = 10000; // and without an event: shares and times go on by themselves
  const state = document.getElementById("live");
  const announcer = document.getElementById("announcer");
  let due = null, last = 0;

  const show = (word, live) => {
    state.textContent = word;
    state.classList.toggle("on", live);
  };

  const refresh = async () => {
    due = null;
    last = Date.now();
    let fresh;
    try {
      const reply = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!reply.ok) throw new Error(reply.status);
      fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
    } catch {
      show("not reachable", false);
      return;
    }
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = fresh.getElementById(part.id);
      if (!next || next.isEqualNode(part)) continue;
      const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      const scrolled = [...part.querySelectorAll(".wide")].map((box) => box.scrollLeft);
      part.replaceWith(next);
      next.querySelectorAll(".wide").forEach((box, i) => { box.scrollLeft = scrolled[i] || 0; });
      if (focused) [...next.querySelectorAll("a")].find((a) => a.getAttribute("href") === focused)?.focus();
    }
  };

  const soon = () => {
    if (due === null) due = setTimeout(refresh, Math.max(150, last + QUIET - Date.now()));
  };

  const heard = (event) => {
    soon();
    const said = JSON.parse(event.data);
    if (event.type !== "transition" || said.severity === "info" && said.change !== "failover" && said.change !== "failback") return;
    announcer.textContent = [said.service, said.datacenter, said.change.replaceAll("-", " "), said.reason].filter(Boolean).join(", ");
  };

  const stream = new EventSource("/v1/events");
  for (const kind of ["transition", "command", "hook", "reload"]) stream.addEventListener(kind, heard);
  stream.onopen = () => { show("live", true); if (last) soon(); };
  stream.onerror = () => show("not live", false);
  setInterval(soon, REGULAR);
})();
