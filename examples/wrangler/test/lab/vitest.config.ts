// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

// One after the other: a fault is there for all.
export default defineConfig({
	test: {
		include: ["test/lab/*.test.ts"],
		fileParallelism: false,
		testTimeout: 60000,
		hookTimeout: 120000,
	},
});
