// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

// The time is for machines that are busy with something else: no test waits for it to pass.
export default defineConfig({
	test: { include: ["test/*.test.ts"], testTimeout: 60000, hookTimeout: 120000 },
});
