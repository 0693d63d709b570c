# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Times to live of replaced answers are clamped, of others not.

is "a long TTL becomes ttl_max" 60 ttls bad.example A
is "a TTL below ttl_max stays" 30 ttls quick.example A
is "an unlisted name keeps its TTL" 3600 ttls www.example A
