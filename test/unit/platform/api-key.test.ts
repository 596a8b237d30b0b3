import { expect, test } from "vitest";
import { provider } from "../../../configs/schema/providers.ts";
import { whyNoKey } from "../../../platform/llm/api-key.ts";

test("a value that can't be sent is no key, and is never shown", () => {
  expect(whyNoKey("KEY", "sk-abc_123.~")).toBeNull();
  expect(whyNoKey("KEY", undefined)).toBe("KEY is not set");
  expect(whyNoKey("KEY", "")).toBe("KEY is not set");
  for (const value of ["sk-secret\nx", " sk-secret", "sk-secret…", "sk-secret\t"]) {
    expect(whyNoKey("KEY", value)).toMatch(/^the value of KEY is no key/);
    expect(whyNoKey("KEY", value)).not.toContain("secret");
  }
});

test("an address holds no secrets", () => {
  expect(provider.safeParse({ baseUrl: "https://api.example.com/v1" }).success).toBe(true);
  for (const baseUrl of ["https://user:secret@api.example.com/v1", "https://secret@api.example.com/v1"])
    expect(provider.safeParse({ baseUrl }).error?.issues[0]?.message).toMatch(/give the key by apiKeyEnv/);
});
