#!/usr/bin/env node
// Installs what Attune needs below node_modules/ and .attune/. Safe to repeat; --dev adds the tools that tests need.
import { everything, everythingForTests, giveUp, say, setUp } from "./steps.mjs";

try {
  await setUp(process.argv.includes("--dev") ? everythingForTests : everything);
  say("Everything is installed. To see it run: npm run quickstart");
} catch (error) {
  giveUp(error);
}
