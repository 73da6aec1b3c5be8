/** The API in this process, over a real database: the routes as the Worker mounts them, without the Worker. */
import { Hono } from "hono";
import type { Order } from "../../protocol/orders.ts";
import type { Access } from "../../worker/access/access.ts";
import type { openDatabase } from "../../worker/database/open.ts";
import type { AppEnv } from "../../worker/http/app-env.ts";
import { describedBy, type OpenApi } from "../support/openapi.ts";
import { openApiDocument } from "../../worker/http/openapi-document.ts";
import { docs } from "../../worker/http/openapi.ts";
import { notFound, onError } from "../../worker/http/problem.ts";
import { orders } from "../../worker/orders/routes.ts";

/** Of every answer: a test fails whose answer is not as described. */
const check = describedBy(openApiDocument() as unknown as OpenApi);

/** What the answers can hold; a test looks at what it expects. */
export interface Body {
  readonly success: boolean;
  readonly data: unknown;
  readonly count: number;
  readonly pagination: {
    limit: number;
    offset: number;
    total: number | null;
    has_more: boolean;
    next_before: number | null;
  };
  readonly snapshot: string;
  readonly timestamp: string;
  readonly xid: string;
  readonly message: string;
  readonly missing: number[];
  readonly type: string;
  readonly code: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly issues: { field: string; message: string }[];
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON of it; without any, the text. */
  readonly body: Body;
}

/** The one order in an answer. */
export function orderIn(answer: Answer): Order {
  return answer.body.data as Order;
}

/** The orders in an answer. */
export function ordersIn(answer: Answer): Order[] {
  return answer.body.data as Order[];
}

export interface Api {
  /** `body` that is no string is sent as JSON; a string as it stands, as JSON too unless the headers say otherwise. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** Runs the request as it is. */
  fetch(request: Request): Promise<Response>;
  /** Until everything that was left to run behind the answers has ended. */
  settle(): Promise<void>;
}

/**
 * @param env the variables that the database is chosen by.
 * @param afterWrite the hook that the Worker sets.
 * @param access who is asking; somebody who may do everything, unless given.
 */
export function openApi(
  env: Parameters<typeof openDatabase>[0],
  afterWrite?: () => Promise<void>,
  access: Access = { role: "write", subject: null, holder: null, pin: null, expiresAt: null },
): Api {
  const behind: Promise<unknown>[] = [];
  const ctx = {
    props: {},
    waitUntil: (promise: Promise<unknown>) => void behind.push(promise),
    passThroughOnException: () => undefined,
  };
  const app = new Hono<AppEnv>()
    .use(async (c, next) => {
      if (afterWrite) c.set("afterWrite", afterWrite);
      c.set("access", access);
      await next();
    })
    .route("/api/orders", orders)
    .route("/orders", orders)
    .route("/api", docs);
  app.onError(onError);
  app.notFound(notFound);

  const fetch = async (request: Request) => {
    const { method, url } = request;
    const response = await app.request(request, undefined, env, ctx);
    check({
      method,
      path: new URL(url).pathname,
      status: response.status,
      contentType: response.headers.get("Content-Type"),
      text: await response.clone().text(),
    });
    return response;
  };
  const send = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const init: RequestInit = { method, headers };
    if (body !== undefined) {
      init.body = typeof body === "string" ? body : JSON.stringify(body);
      init.headers = { "Content-Type": "application/json", ...headers };
    }
    const response = await fetch(new Request(`http://api.test${path}`, init));
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("Content-Type") ?? "");
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson && text !== "" ? JSON.parse(text) : text) as Body,
    };
  };
  return {
    send,
    get: (path, headers) => send("GET", path, undefined, headers),
    fetch,
    settle: async () => {
      await Promise.all(behind);
    },
  };
}
