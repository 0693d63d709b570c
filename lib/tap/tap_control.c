/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap/tap_control.h"

#include <errno.h>
#include <time.h>

#include "tap/tap.h"
#include "tap/tap_private.h"

#define CONTENT_TYPE (const uint8_t *)TAP_CONTENT_TYPE, sizeof(TAP_CONTENT_TYPE) - 1

size_t tap_control_write(fstrm_control_type type, uint8_t frame[TAP_CONTROL_SIZE])
{
	struct fstrm_control *control = fstrm_control_init();
	size_t size = TAP_CONTROL_SIZE;
	bool named = type != FSTRM_CONTROL_STOP && type != FSTRM_CONTROL_FINISH;

	if (!control)
		return 0;
	if (fstrm_control_set_type(control, type) != fstrm_res_success ||
		(named && fstrm_control_add_field_content_type(control, CONTENT_TYPE) !=
				  fstrm_res_success) ||
		fstrm_control_encode(control, frame, &size, FSTRM_CONTROL_FLAG_WITH_HEADER) !=
			fstrm_res_success)
		size = 0;
	fstrm_control_destroy(&control);
	return size;
}

int tap_control_read(const uint8_t *frame, size_t size, fstrm_control_type *type, bool *ours)
{
	struct fstrm_control *control = fstrm_control_init();
	int err = -EINVAL;
	size_t n = 0;

	if (control && fstrm_control_decode(control, frame, size, 0) == fstrm_res_success &&
		fstrm_control_get_type(control, type) == fstrm_res_success) {
		fstrm_control_get_num_field_content_type(control, &n);
		*ours = n == 0 || fstrm_control_match_field_content_type(control, CONTENT_TYPE) ==
					  fstrm_res_success;
		err = 0;
	}
	fstrm_control_destroy(&control);
	return err;
}

int64_t tap_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
