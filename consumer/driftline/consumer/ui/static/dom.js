// What the modules draw with.
import { createContext, h } from "preact";
import htm from "htm";

export { render } from "preact";
export * from "preact/hooks";
export const html = htm.bind(h);

// Addresses of views, as functions; where one gives null there is nothing to go to.
export const Links = createContext();
