// The explorer in a file of its own: no kernel, so the page integrates, and what it cannot is shown as it was saved.

import { render } from "./explorer.js";

/** What the explorer asks of a widget's model, answered from what was saved. */
class Saved {
  constructor(data) {
    this.data = data;
    this.calls = new Map();
  }

  get(key) {
    return this.data[key];
  }

  set(key, value) {
    this.data[key] = value;
  }

  save_changes() {}

  on(event, call) {
    this.calls.set(event, call);
  }

  off(event) {
    this.calls.delete(event);
  }

  /** The saved picture answers for a system that the page cannot integrate; other questions have no one to answer them. */
  send(message) {
    if (message.kind !== "look") return;
    const { exact, arrays } = this.data.saved ?? {};
    const reply = exact
      ? { ...exact, kind: "exact", id: message.id, what: "as it was saved; sliders need Python" }
      : { kind: "alone", id: message.id };
    const buffers = (arrays ?? []).map((text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer));
    queueMicrotask(() => this.calls.get("msg:custom")?.(reply, buffers));
  }
}

/** Draw what the page holds as JSON into an element. */
export function open(element, data) {
  return render({ model: new Saved(data), el: element });
}
