/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A relocatable object and nothing more. */
int play_nothing(void);

int play_nothing(void)
{
	return 0;
}
