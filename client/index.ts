/** Rowcast's client: a stream of changes that survives everything, and live collections on top of it. */
export { createClient } from "./client.ts";
export type { ChangeBatch, Client, ClientEvents, ClientOptions, ServerStatus } from "./api.ts";
export type { ClockSample } from "./clock.ts";
export type { Env } from "./env.ts";
export { liveCollection } from "./collection.ts";
export type {
  CollectionClient,
  CollectionEvents,
  CollectionState,
  LiveCollection,
  LiveCollectionOptions,
  Load,
  LoadedPage,
} from "./collection/api.ts";
export { WriteRefused } from "./collection/write.ts";
export type { FieldRefusal, PendingWrite, Refusal, WriteCalls, WriteKind } from "./collection/write.ts";
export type { WriteStorage } from "./collection/kept-writes.ts";
export type { QueryOptions } from "./collection/query.ts";
export type { Key, RowChange as CollectionChange } from "./rows.ts";
export type { Observable } from "./observable.ts";
export type { ConnectionState } from "./public-state.ts";
export type { Token } from "./token.ts";
export type { Transport } from "./states.ts";
export type { Change, Operation, Row } from "../protocol/change.ts";
export type { FilterInput } from "../protocol/filter.ts";
export type { ListenerStatus } from "../protocol/messages.ts";
