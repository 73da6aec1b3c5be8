import { describe } from "vitest";
import { describeContract } from "./contract.ts";
import { clientSource } from "./source.ts";

describe("SSE", () => {
  describeContract(clientSource("sse"));
});
