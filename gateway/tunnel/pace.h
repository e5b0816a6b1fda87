/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pace: how soon meshgwd hears of what has changed.
 *
 * Changes seldom come alone, so the first one waits for a moment. An edge of thousands of nodes
 * says much in each report, and others decide how often there is something new: reports are made as
 * often as their cost allows, and take no more than a twentieth of the time.
 */
#include <stdint.h>

constexpr uint64_t PACE_LEAST_US = 20'000;
constexpr uint64_t PACE_MOST_US = 2'000'000;
constexpr uint64_t PACE_TIMES = 19;

/* The pause before the next report. cost_us: from the beginning of the last one to its answer. */
static inline uint64_t pace_us(uint64_t cost_us)
{
	if (cost_us > PACE_MOST_US / PACE_TIMES)
		return PACE_MOST_US;
	uint64_t us = cost_us * PACE_TIMES;
	return us < PACE_LEAST_US ? PACE_LEAST_US : us;
}
