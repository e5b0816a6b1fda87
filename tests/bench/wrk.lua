-- SPDX-License-Identifier: Apache-2.0
-- One JSON object at the end of a run.
function done(summary, latency, requests)
	local e = summary.errors
	print(string.format(
		'{"requests": %d, "us": %d, "bytes": %d, "p50": %d, "p99": %d, "errors": %d}',
		summary.requests, summary.duration, summary.bytes, latency:percentile(50),
		latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
