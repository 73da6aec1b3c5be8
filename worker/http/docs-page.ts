/** The OpenAPI description as one page of HTML: no script, nothing loaded from elsewhere. */
import { html } from "hono/html";
import { openApiDocument, paths } from "./openapi-document.ts";
import type { Operation, Parameter } from "./openapi-parts.ts";
import { PROBLEM_CODES } from "./problem-codes.ts";

/**
 * The whole page. Everything that is put into it is escaped by the template.
 *
 * @param nonce what the page's policy lets its style sheet in by.
 */
export function docsPage(nonce = "") {
  const { components } = openApiDocument() as { components: { schemas: Record<string, unknown> } };
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>Rowcast API</title>
        <style nonce="${nonce}">
          :root {
            color-scheme: light dark;
            font:
              16px/1.5 system-ui,
              sans-serif;
          }
          body {
            max-width: 52rem;
            margin: 2rem auto;
            padding: 0 1rem;
          }
          code,
          pre {
            font-family: ui-monospace, monospace;
            font-size: 0.9em;
          }
          pre {
            overflow-x: auto;
          }
          td,
          th {
            padding: 0.2rem 1rem 0.2rem 0;
            text-align: left;
            vertical-align: top;
          }
        </style>
      </head>
      <body>
        <h1>Rowcast API</h1>
        <p>
          For programs: <a href="/api/openapi.json">/api/openapi.json</a>; the streams, frame by frame:
          <a href="/api/asyncapi.json">/api/asyncapi.json</a>. Every path under /api/orders is also at
          /orders.
        </p>
        ${Object.entries(paths).flatMap(([path, methods]) =>
          Object.entries(methods).map(([method, operation]) => section(path, method, operation)),
        )}
        <h2>Shapes</h2>
        ${Object.entries(components.schemas).map(
          ([name, schema]) =>
            html`<h3 id="shape-${name}">${name}</h3>
              <pre>${JSON.stringify(schema, null, 2)}</pre>`,
        )}
        <h2>Problems</h2>
        <table>
          ${Object.entries(PROBLEM_CODES).map(
            ([code, { status, title }]) =>
              html`<tr id="${code}">
                <td><code>${code}</code></td>
                <td>${status}</td>
                <td>${title}</td>
              </tr>`,
          )}
        </table>
      </body>
    </html>`;
}

function section(path: string, method: string, operation: Operation) {
  const { summary, description, parameters = [], requestBody, responses } = operation;
  return html`<h2><code>${method.toUpperCase()} ${path}</code></h2>
    <p>${summary}. ${description}</p>
    ${
      parameters.length > 0
        ? html`<table>
            ${parameters.map(parameterRow)}
          </table>`
        : ""
    }
    ${requestBody ? html`<p>Body: ${shapeLink(requestBody)}</p>` : ""}
    <ul>
      ${Object.entries(responses).map(
        ([status, answer]) => html`<li><code>${status}</code> ${answer.description}</li>`,
      )}
    </ul>`;
}

function parameterRow({ name, in: place, description, schema }: Parameter) {
  return html`<tr>
    <td><code>${name}</code></td>
    <td>${place}</td>
    <td>${description} <code>${JSON.stringify(schema)}</code></td>
  </tr>`;
}

function shapeLink(requestBody: unknown) {
  const [, name = ""] = /schemas\/(\w+)/.exec(JSON.stringify(requestBody)) ?? [];
  return html`<a href="#shape-${name}">${name}</a>`;
}
