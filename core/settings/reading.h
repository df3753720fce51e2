/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What a wrong line means: an unknown group, key or value, in kmodsmith.conf or, where it
 * is not about a directory, in framework.conf.
 */
enum ks_settings_reading {
	KS_SETTINGS_STRICT, /* KS_ERROR_INVALID, naming file and line */
	/*
	 * A warning: the line has no effect, or for root-scripts and hold the careful one.
	 * For runs that nobody watches: a typo must not cost the next kernel its modules.
	 */
	KS_SETTINGS_LENIENT,
};
