import { expect, it, onTestFinished, vi } from "vitest";
import { consoleLogger } from "../../platform/telemetry/log.ts";

it("writes one line a message to stderr, and masks the values of secret variables", () => {
  process.env["ATTUNE_TEST_SECRET"] = "sk-123456";
  const written: string[] = [];
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
  onTestFinished(() => {
    stderr.mockRestore();
    delete process.env["ATTUNE_TEST_SECRET"];
  });
  const log = consoleLogger(["ATTUNE_TEST_SECRET", "ATTUNE_TEST_UNSET"]);
  log.info("ready", { port: 1 });
  log.warn("line one\nline two sk-123456", { header: "Bearer sk-123456" });
  expect(written[0]).toMatch(/^\d{4}-\S+Z INFO ready \{"port":1\}\n$/);
  expect(written[1]).toMatch(/ WARN line one\\nline two \*\*\* \{"header":"Bearer \*\*\*"\}\n$/);
});
