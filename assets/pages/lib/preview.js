// A message as its reader sees it: a mail in a frame that can do nothing, an SMS as a bubble, a push as a card.

import { h, newId, replace } from "./dom.js";
import { icon } from "./icons.js";
import { badge } from "./ui.js";
import t from "./words.js";

/** A place for HTML mail; `show(html)` fills it. The frame has no scripts, no origin and no other host: the server says so too. */
export function mailFrame(title = t.preview.frame) {
  const place = h("div.mail-frame", {});
  let waiting = null;
  place.show = (html) => {
    const name = newId("frame");
    // A new frame each time: its first page takes no step in the browser's history.
    const frame = h("iframe.next", { name, title, sandbox: "", referrerpolicy: "no-referrer" });
    const form = h("form", { method: "post", action: "/preview", target: name, hidden: true }, h("textarea", { name: "html", value: html }));
    for (const old of place.querySelectorAll("form, iframe.next")) old.remove();
    place.append(frame, form);
    waiting = { frame, form };
    if (place.isConnected) submit();
  };
  function submit() {
    if (!waiting) return;
    const { frame, form } = waiting;
    waiting = null;
    // The empty page that a frame begins with has been loaded by now: the next one is the mail.
    frame.addEventListener("load", () => {
      form.remove();
      for (const old of place.querySelectorAll("iframe:not(.next)")) old.remove();
      frame.classList.remove("next");
    });
    form.submit();
  }
  // A form can only be sent from inside the document; being laid out is the sign of it.
  new ResizeObserver(() => place.isConnected && submit()).observe(place);
  return place;
}

/** An SMS as a bubble, with what it costs; `offending` are the characters that make it dear. */
export function smsBubble({ Body, Segments, Encoding, Units, Offending }) {
  const odd = new Set(Offending || "");
  const text = [...(Body || "")].map((char) => (odd.has(char) ? h("mark", { title: t.preview.offending }, char) : char));
  return h("div.phone", {}, h("div.bubble", {}, text), Segments !== undefined && Segments !== null && h("p.sms-cost", {},
    badge(t.preview.parts(Segments), Segments > 3 ? "warn" : "accent"), badge(Encoding), h("span", {}, t.preview.units(Units, Encoding)),
    odd.size > 0 && h("span.offending", {}, t.preview.odd([...odd]))));
}

/** A push notification as a card. */
export const pushCard = ({ Subject, Body }, app) => h("div.phone", {}, h("div.push-card", {},
  h("div.push-app", {}, icon("push"), app || "Herald"), h("b", {}, Subject), h("p", {}, Body)));

/** A mail: subject, then HTML and text to choose from. */
export function mail({ Subject, Body, HTMLBody }, { from, to } = {}) {
  const frame = HTMLBody ? mailFrame() : null;
  const text = h("pre.mail-text", { tabindex: "0", "aria-label": t.preview.text }, Body || "");
  const head = h("div.mail-head", {}, h("b", {}, Subject || t.preview.noSubject), (from || to) && h("small", {}, [from, to].filter(Boolean).join(" → ")));
  const body = h("div", {});
  const choices = [HTMLBody && "html", (Body || !HTMLBody) && "text"].filter(Boolean);
  const show = (choice) => {
    replace(body, choice === "html" ? frame : text);
    for (const item of chooser.children) item.setAttribute("aria-pressed", String(item.dataset.part === choice));
    if (choice === "html") frame.show(HTMLBody);
  };
  const chooser = h("div.segmented", { role: "group", "aria-label": t.preview.part }, choices.map((choice) =>
    h("button", { type: "button", data: { part: choice }, on: { click: () => show(choice) } }, t.preview[choice])));
  show(choices[0]);
  return h("div.mail", {}, h("div.mail-top", {}, head, choices.length > 1 && chooser), body);
}

/** Any message by its format. */
export function message(content, format, options = {}) {
  if (format === 2) return smsBubble(content);
  if (format === 3) return pushCard(content, options.app);
  return mail(content, options);
}
