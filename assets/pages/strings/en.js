// All words of the pages. Another language is a file like this one, and a line in lib/words.js.

const n = (amount, one, many) => `${new Intl.NumberFormat("en").format(amount)} ${amount === 1 ? one : many}`;
const and = (words) => new Intl.ListFormat("en", { type: "conjunction" }).format(words);

export default {
  language: "en",
  save: "Save", cancel: "Cancel", close: "Close", optional: "optional", copied: "Copied", saved: "Saved", remove: "Remove", edit: "Edit", back: "Back",
  copy: (what) => `Copy ${what}`,
  none: "none", yes: "Yes", no: "No", more: "Show more",
  leave: { title: "Leave without saving?", text: "What you changed on this page is not saved yet.", action: "Leave" },
  nav: { main: "Main", short: "Short", skip: "Skip to content", home: "Home", log: "Log", users: "Users", templates: "Templates", captured: "Captured", settings: "Settings", reference: "API", more: "More", out: "Sign out", theme: "Switch between light and dark" },
  bar: {
    capture: "Capture mode.", nothing: "Nothing leaves this machine.", look: "See what was captured",
    some: (channels) => `${and(channels)} ${channels.length === 1 ? "is" : "are"} captured: nothing of that leaves this machine.`,
    paused: "Sending is paused.", waits: "What is accepted waits.", resume: "Resume",
  },
  errors: {
    title: "That did not work", unreachable: "Herald does not answer. Check that it is running and that you are online, then try again.",
    other: "Herald could not do that. Its log says why.", 403: "You may not do that.", 404: "That is not there, or not any more.",
    413: "That is too large.", 429: "Too many requests at once. Wait a moment, then try again.", 500: "Something went wrong inside Herald; its log says what.", 503: "Herald is busy. Wait a moment, then try again.",
    lost: "There is nothing here", lostText: "The address may be mistyped, or what it led to was deleted.", again: "Try again",
    updated: "This page has been updated since you opened it. Load it again to go on.",
  },
  keys: {
    title: "Keyboard shortcuts",
    lines: [
      [["/"], "Search on this page"], [["↑", "↓"], "Move through a list"], [["Enter"], "Open what is chosen"], [["n"], "Make a new one"],
      [["g", "h"], "Home"], [["g", "l"], "Log"], [["g", "u"], "Users"], [["g", "t"], "Templates"], [["g", "c"], "Captured"], [["g", "s"], "Settings"], [["g", "a"], "API"],
      [["Esc"], "Close, or leave a field"], [["?"], "This list"],
    ],
  },
  channels: { email: "E-mail", sms: "SMS", push: "Push" },
  formats: ["HTML e-mail", "Text e-mail", "SMS", "Push"],
  status: { scheduled: "Scheduled", queued: "Waiting", sending: "Sending", sent: "Sent", delivered: "Delivered", undelivered: "Undelivered", failed: "Failed", cancelled: "Cancelled", suppressed: "Not wanted", expired: "Expired" },
  signin: {
    title: "Sign in", name: "User name", password: "Password", action: "Sign in", wrong: "The user name or the password is wrong.",
    byLink: "Signing you in…", used: "This link was used already or is too old.", first: "This appliance is new",
    firstText: "Open the set-up link that Herald printed when it started. It is good for 30 minutes; start Herald again for a new one.",
    forgot: "Forgot it? On the machine itself, `herald admin passwd` sets a new one.",
  },
  picker: { nothing: "Nobody is called that." },
  log: {
    title: "Log", sub: "Every message, and what became of it.", live: "Live", search: "Find a user or a message number",
    anyStatus: "Any state", anyFormat: "Any format", anyType: "Any type", noAddress: "No address",
    message: (id) => `Message ${id}`, user: (id) => `User ${id}`, cause: (cause) => `Cause: ${cause}`, from: (at) => `From ${at}`, to: (at) => `Before ${at}`, drop: (what) => `Drop the filter ${what}`,
    shown: (some, all) => `${some} of ${all}`, clear: "Show everything",
    noneFound: "Nothing fits these filters", noneFoundText: "Drop one of them, or look in a longer span of time.",
    empty: "No message yet", emptyText: "Each message that an application or a person asks for appears here at once, with every attempt and the reason for every choice.", emptyAction: "Send the first one",
  },
  bulk: {
    stop: "Stop", progress: (done, left, capped) => `${done} done, ${left}${capped ? " or more" : ""} left`,
    retry: { title: (count) => `Send ${count} again?`, text: "Those that have content and an address go out again. What fails again stays failed.", action: (count) => `Send these ${count} again`, doing: "Sending again", done: (count, amount) => `${count} ${amount === 1 ? "goes" : "go"} out again` },
    cancel: { title: (count) => `Cancel ${count} messages?`, text: "What waits is not sent. A cancelled message can be sent again later.", action: (count) => `Cancel these ${count}`, doing: "Cancelling", done: (count) => `${count} cancelled` },
  },
  message: {
    title: (id) => `Message ${id}`, timeline: "What happened", content: "Content", details: "Details",
    id: "Message", guid: "X-Message-Id", user: "User", template: "Template", by: "Asked for by", sender: "Sender", due: "Not before", expires: "Not after", causeName: "Same cause",
    retry: { action: "Send again", done: "It goes out again" },
    cancel: { action: "Cancel", done: "Cancelled", title: "Cancel this message?", text: "It is not sent. It can be sent again later." },
    accepted: (by) => `Accepted from ${by}`, decided: "Decided", nextTry: "Next try", waits: "Waiting to be sent", until: "Given up after",
    took: "The provider took it", running: "Under way", unknown: "Herald ended before the answer came",
    refused: { provider: "The provider could not be used", configuration: "The provider refused us", temporary: "Not now, said the provider", permanent: "Refused for good", in_doubt: "Nobody knows whether it went out", other: "It did not work" },
    reported: "The provider reported", attempt: (number) => `Attempt ${number}`, theirId: "Their id:",
    sensitive: "The content of this type lets somebody in. It is wiped when the message is through, and never shown.", noContent: "There is no content: it was never made, or it has been wiped.",
    why: {
      scheduled: "It waits for its time.", queued: "It waits to be sent.", sending: "It is being sent right now.",
      sent: "The provider took it. Whether it arrived, only a report would tell.", delivered: "It arrived: the provider says so.",
      undelivered: "It was sent, but the provider says that it did not arrive.", failed: "It was not sent.", cancelled: "Somebody cancelled it.",
      suppressed: "It was not sent, because the user does not want it.", expired: "It was not sent in time, and late it would have been worth nothing.",
    },
    advice: {
      permanent: "The recipient's side refused it. Check the address first: sending it again unchanged will most likely fail again.",
      temporary: "It was tried for as long as it was worth sending. Send it again when the provider is well.",
      provider: "The provider could not be reached. Check it in Settings, then send the message again.",
      configuration: "The provider does not accept us: a password, key or sender is wrong. Mend it in Settings, then send the message again.",
      in_doubt: "The connection broke after the message was handed over: it may have gone out. Ask the recipient before you send it again.",
      none: "It never got to a provider; the decisions below say why.",
    },
  },
  trace: {
    request: (choice) => `Somebody asked to send ${choice}.`,
    channels: (choice) => (choice === "none" ? "No channel was chosen." : `The channel is ${choice}.`),
    address: (choice) => (choice === "none" ? "There is no address." : `It goes to ${choice}.`),
    template: (choice) => (choice === "none" ? "No template is used." : `The template is ${choice}.`),
  },
  preview: {
    frame: "The mail as its reader sees it", html: "HTML", text: "Text", part: "Part of the mail", noSubject: "(no subject)",
    parts: (count) => n(count, "part", "parts"), units: (units, encoding) => `${units} ${encoding === "GSM-7" ? "septets" : "units"}`,
    offending: "This character makes the SMS dearer", odd: (chars) => `Dear characters: ${chars.join(" ")}`,
  },
};
