/** Every rule of the machine is a row here, and each row is a test: what an event does in a state, in the plainest case. */
import { describe, expect, test } from "vitest";
import { Story } from "../test/client/story.ts";
import type { Event, State } from "./states.ts";

/** How a story comes to each state. */
const STATES: { readonly [S in State["name"] | "live over SSE"]: () => Story } = {
  connecting: () => new Story(),
  "catching-up": () => new Story().welcome("e.1"),
  live: () => new Story().live("e.1"),
  "live over SSE": () => new Story().onSse(),
  waiting: () => new Story().live("e.1").closed(),
  offline: () => new Story().live("e.1").event({ type: "offline" }),
  stopped: () => new Story().live("e.1").event({ type: "stop", reason: "closed" }),
};

/** What is done there; a `tick` comes when the next deadline has. */
const EVENTS: { readonly [E in Event["type"]]: (story: Story) => Story } = {
  message: (story) => (story.state.name === "connecting" ? story.welcome("e.1") : story.status()),
  pong: (story) => story.pong("e.1"),
  heard: (story) => story.event({ type: "heard", connection: story.state.connection }),
  closed: (story) => story.closed(),
  probed: (story) => story.event({ type: "probed", connection: story.state.connection, opened: true }),
  tick: (story) => story.due(),
  online: (story) => story.event({ type: "online" }),
  offline: (story) => story.event({ type: "offline" }),
  visible: (story) => story.event({ type: "visible" }),
  refilter: (story) => story.event({ type: "refilter", frame: "F" }),
  reconnect: (story) => story.event({ type: "reconnect" }),
  stop: (story) => story.event({ type: "stop", reason: "closed" }),
};

/** The state that it comes to, and what is asked of the world on the way. */
const TABLE: { readonly [S in keyof typeof STATES]: { readonly [E in Event["type"]]: string } } = {
  connecting: {
    message: "catching-up notice",
    pong: "connecting",
    heard: "connecting",
    closed: "waiting close",
    probed: "connecting",
    tick: "waiting close",
    online: "connecting",
    offline: "offline close",
    visible: "connecting",
    refilter: "connecting close open",
    reconnect: "connecting close open",
    stop: "stopped close",
  },
  "catching-up": {
    message: "live notice",
    pong: "catching-up",
    heard: "catching-up",
    closed: "waiting close",
    probed: "catching-up",
    tick: "catching-up send",
    online: "catching-up send",
    offline: "offline close",
    visible: "catching-up send",
    refilter: "catching-up send",
    reconnect: "connecting close open",
    stop: "stopped close",
  },
  live: {
    message: "live notice",
    pong: "live",
    heard: "live",
    closed: "waiting close",
    probed: "live",
    tick: "live send",
    online: "live send",
    offline: "offline close",
    visible: "live send",
    refilter: "live send",
    reconnect: "connecting close open",
    stop: "stopped close",
  },
  "live over SSE": {
    message: "live notice",
    pong: "live",
    heard: "live",
    closed: "waiting close",
    probed: "live",
    tick: "waiting close",
    online: "live",
    offline: "offline close",
    visible: "live",
    refilter: "connecting close open",
    reconnect: "connecting close open",
    stop: "stopped close",
  },
  waiting: {
    message: "waiting",
    pong: "waiting",
    heard: "waiting",
    closed: "waiting",
    probed: "waiting",
    tick: "connecting open",
    online: "connecting open",
    offline: "offline",
    visible: "connecting open",
    refilter: "waiting",
    reconnect: "connecting open",
    stop: "stopped",
  },
  offline: {
    message: "offline",
    pong: "offline",
    heard: "offline",
    closed: "offline",
    probed: "offline",
    tick: "connecting open",
    online: "connecting open",
    offline: "offline",
    visible: "connecting open",
    refilter: "offline",
    reconnect: "connecting open",
    stop: "stopped",
  },
  stopped: {
    message: "stopped",
    pong: "stopped",
    heard: "stopped",
    closed: "stopped",
    probed: "stopped",
    tick: "stopped",
    online: "stopped",
    offline: "stopped",
    visible: "stopped",
    refilter: "stopped",
    reconnect: "connecting open",
    stop: "stopped",
  },
};

describe.each(Object.entries(STATES))("%s", (name, begin) => {
  const row = TABLE[name as keyof typeof TABLE];
  test.each(Object.entries(row))("%s leads to: %s", (event, expected) => {
    const story = begin();
    const known = story.log.length;
    EVENTS[event as Event["type"]](story);
    const did = story.log.slice(known).map(({ type }) => type);
    expect([story.state.name, ...did.slice(1)].join(" ")).toBe(expected);
  });
});
