/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See follow.h. */
#include "plugins/rpm/follow.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <rpm/rpmds.h>
#include <rpm/rpmte.h>

#include "plugins/rpm/rpm-database.h"
#include "plugins/rpm/detect.h"

typedef int (*change_func)(int event, rpmte te, rpmte other, void *data);
typedef int (*set_change_func)(rpmts ts, change_func func, void *data);

enum { EVENT_ADD = 1 }; /* RPMTS_EVENT_ADD, not there before 4.17 */

/* Does one of the provides of the element satisfy the requirement? */
static bool is_provided(rpmte te, rpmds requirement)
{
	rpmds provides = te ? rpmdsInit(rpmteDS(te, RPMTAG_PROVIDENAME)) : NULL;

	while (provides && rpmdsNext(provides) >= 0)
		if (strcmp(rpmdsN(provides), rpmdsN(requirement)) == 0 &&
		    rpmdsCompare(provides, requirement))
			return true;
	return false;
}

/* Does the record need what goes with te, and does not come back with other? */
static bool needs(Header record, rpmte te, rpmte other)
{
	rpmds requires = rpmdsInit(rpmdsNew(record, RPMTAG_REQUIRENAME, 0));
	bool found = false;

	while (!found && requires && rpmdsNext(requires) >= 0)
		found = is_provided(te, requires) && !is_provided(other, requires);
	rpmdsFree(requires);
	return found;
}

static void take_along(rpmts ts, rpmte te, rpmte other)
{
	struct ks_db_list list;
	struct ks_why ignored;

	if (ks_db_load(ts, &list, &ignored)) {
		for (size_t i = 0; i < list.n_entries; i++) {
			const struct ks_db_entry *entry = &list.entries[i];
			Header h = entry->ours ? ks_db_header(ts, entry->instance) : NULL;

			if (h && needs(h, te, other))
				rpmtsAddEraseElement(ts, h, (int)entry->instance);
			headerFree(h);
		}
	}
	ks_db_clear(&list);
}

static int on_change(int event, rpmte te, rpmte other, void *data)
{
	if (event == EVENT_ADD && rpmteType(te) == TR_REMOVED && ks_detect_element(te))
		take_along(data, te, other);
	return 0;
}

void ks_follow_start(rpmts ts)
{
	set_change_func set_change =
		(set_change_func)dlsym(RTLD_DEFAULT, "rpmtsSetChangeCallback");

	if (set_change && strcmp(program_invocation_short_name, "rpm") == 0)
		set_change(ts, on_change, ts);
}
