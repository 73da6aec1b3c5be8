import { describe } from "vitest";
import { describeContract } from "./contract.ts";
import { pollingSource } from "./source.ts";

describe("GET /api/changes", () => {
  describeContract(pollingSource);
});
