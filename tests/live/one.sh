# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# One test file in a process of its own, started by run_live: one.sh TEST
# shellcheck source=tests/live/live.sh
. "$(dirname "${BASH_SOURCE[0]}")/live.sh"
# shellcheck source=tests/live/setup.sh
. "$LIVE/setup.sh"
# shellcheck source=/dev/null
. "$LIVE/$1.test.sh"
