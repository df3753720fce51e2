/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See database.h. */
#include "plugins/rpm/rpm-database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rpm/rpmmacro.h>
#include <rpm/rpmstring.h>
#include <rpm/rpmfileutil.h>

#include "core/record/protocol.h"

#define LIB_MODULES	"/lib/modules/"
#define USR_LIB_MODULES "/usr/lib/modules/"
#define NAME_PREFIX	"kmod-"
/* macros of the command line are at -7: ours is to win */
#define MACRO_LEVEL 0

static const char *text_of(Header h, rpmTagVal tag)
{
	const char *text = headerGetString(h, tag);

	return text ? text : "";
}

/* --- the records in the database */

static void clear_entry(struct ks_db_entry *entry)
{
	free(entry->package);
	free(entry->module);
	free(entry->version);
	free(entry->release);
	free(entry->digest);
	free(entry->nevra);
}

void ks_db_clear(struct ks_db_list *list)
{
	for (size_t i = 0; i < list->n_entries; i++)
		clear_entry(&list->entries[i]);
	free(list->entries);
	memset(list, 0, sizeof(*list));
}

/* The cookie of a package of ours, in the grammar of the protocol. */
static const struct ks_text_key cookie_keys[] = {
	{"module", true, offsetof(struct ks_db_entry, module)},
	{"version", true, offsetof(struct ks_db_entry, version)},
	{"kernel", true, offsetof(struct ks_db_entry, release)},
	{"digest", true, offsetof(struct ks_db_entry, digest)},
	{NULL},
};

static void read_cookie(Header h, struct ks_db_entry *entry)
{
	char **const texts[] = {&entry->module, &entry->version, &entry->release,
				&entry->digest};
	struct ks_why ignored;

	entry->ours = strcmp(text_of(h, RPMTAG_VENDOR), KS_DATABASE_VENDOR) == 0 &&
		      ks_text_read_only_block(text_of(h, RPMTAG_COOKIE), "cookie",
					      cookie_keys, entry, &ignored);
	for (size_t i = 0; !entry->ours && i < sizeof(texts) / sizeof(texts[0]); i++) {
		free(*texts[i]);
		*texts[i] = strdup("");
	}
}

static bool add_entry(struct ks_db_list *list, Header h, unsigned int instance)
{
	struct ks_db_entry entry = {.instance = instance};
	struct ks_db_entry *grown =
		reallocarray(list->entries, list->n_entries + 1, sizeof(*list->entries));

	if (!grown)
		return false;
	list->entries = grown;
	entry.package = strdup(text_of(h, RPMTAG_NAME));
	entry.nevra = headerGetAsString(h, RPMTAG_NEVRA);
	read_cookie(h, &entry);
	grown[list->n_entries++] = entry;
	return entry.package && entry.nevra && entry.module && entry.version &&
	       entry.release && entry.digest;
}

static bool add_named(rpmts ts, struct ks_db_list *list, const char *name, size_t length)
{
	rpmdbMatchIterator matches = rpmtsInitIterator(ts, RPMDBI_NAME, name, length);
	bool ok = true;
	Header h;

	while (ok && (h = rpmdbNextIterator(matches)))
		ok = add_entry(list, h, rpmdbGetIteratorOffset(matches));
	rpmdbFreeIterator(matches);
	return ok;
}

struct names {
	char **names;
	size_t n_names;
};

/* The index of names is read to its end first: some back ends bear no second reader. */
static bool collect_names(rpmts ts, struct names *found)
{
	rpmdbIndexIterator index = rpmdbIndexIteratorInit(rpmtsGetRdb(ts), RPMDBI_NAME);
	const void *key = NULL;
	size_t length = 0;
	bool ok = true;

	while (ok && index && rpmdbIndexIteratorNext(index, &key, &length) == 0) {
		char **grown;

		if (length < strlen(NAME_PREFIX) ||
		    memcmp(key, NAME_PREFIX, strlen(NAME_PREFIX)) != 0)
			continue;
		grown = reallocarray(found->names, found->n_names + 1, sizeof(*grown));
		if (grown) {
			found->names = grown;
			grown[found->n_names] = strndup(key, length);
		}
		ok = grown && grown[found->n_names++];
	}
	rpmdbIndexIteratorFree(index);
	return ok;
}

bool ks_db_load(rpmts ts, struct ks_db_list *list, struct ks_why *why)
{
	struct names found = {0};
	bool ok = true;

	memset(list, 0, sizeof(*list));
	if (!rpmtsGetRdb(ts) && rpmtsOpenDB(ts, O_RDONLY) != 0)
		return ks_why_set(why, "cannot open rpm's database");
	ok = collect_names(ts, &found);
	for (size_t i = 0; ok && i < found.n_names; i++)
		ok = add_named(ts, list, found.names[i], strlen(found.names[i]));
	while (found.n_names)
		free(found.names[--found.n_names]);
	free(found.names);
	return ok || ks_why_no_memory(why);
}

Header ks_db_header(rpmts ts, unsigned int instance)
{
	rpmdbMatchIterator matches =
		rpmtsInitIterator(ts, RPMDBI_PACKAGES, &instance, sizeof(instance));
	Header h = rpmdbNextIterator(matches);

	if (h)
		headerLink(h);
	rpmdbFreeIterator(matches);
	return h;
}

/* --- owners */

char *ks_db_spell(const char *path, bool usr)
{
	const char *rest = NULL;
	char *spelled = NULL;

	if (strncmp(path, LIB_MODULES, strlen(LIB_MODULES)) == 0)
		rest = path + strlen(LIB_MODULES);
	else if (strncmp(path, USR_LIB_MODULES, strlen(USR_LIB_MODULES)) == 0)
		rest = path + strlen(USR_LIB_MODULES);
	if (!rest)
		return strdup(path);
	if (asprintf(&spelled, "%s%s", usr ? USR_LIB_MODULES : LIB_MODULES, rest) < 0)
		return NULL;
	return spelled;
}

/* Does the package list this path, in these letters? */
static bool lists(Header h, const char *path, const char *name)
{
	struct rpmtd_s names, dirs, indexes;
	bool found = false;

	if (!headerGet(h, RPMTAG_BASENAMES, &names, HEADERGET_MINMEM))
		return false;
	if (headerGet(h, RPMTAG_DIRNAMES, &dirs, HEADERGET_MINMEM) &&
	    headerGet(h, RPMTAG_DIRINDEXES, &indexes, HEADERGET_MINMEM)) {
		const char *text;

		while (!found && (text = rpmtdNextString(&names))) {
			uint32_t *index = rpmtdNextUint32(&indexes);

			if (strcmp(text, name) != 0 || !index ||
			    rpmtdSetIndex(&dirs, (int)*index) < 0)
				continue;
			text = rpmtdGetString(&dirs);
			found = text && strlen(text) == (size_t)(name - path) &&
				strncmp(text, path, (size_t)(name - path)) == 0;
		}
		rpmtdFreeData(&indexes);
	}
	rpmtdFreeData(&dirs);
	rpmtdFreeData(&names);
	return found;
}

/*
 * rpm's look-up by path asks the file system which directories are the same, and
 * outside a chroot that is the wrong one: its answers are compared by letters.
 */
static bool call_owners(rpmts ts, const char *spelled, ks_db_owner_func func, void *data)
{
	rpmdbMatchIterator matches =
		rpmtsInitIterator(ts, RPMDBI_INSTFILENAMES, spelled, 0);
	bool go_on = true;
	Header h;

	while (go_on && (h = rpmdbNextIterator(matches)))
		if (lists(h, spelled, strrchr(spelled, '/') + 1))
			go_on = func(h, spelled, data);
	rpmdbFreeIterator(matches);
	return go_on;
}

void ks_db_owners(rpmts ts, const char *path, ks_db_owner_func func, void *data)
{
	char *lib = ks_db_spell(path, false);
	char *usr = ks_db_spell(path, true);

	if (lib && usr && call_owners(ts, lib, func, data) && strcmp(lib, usr) != 0)
		call_owners(ts, usr, func, data);
	free(lib);
	free(usr);
}

bool ks_db_provides(rpmts ts, const char *name, const char *evr)
{
	rpmdbMatchIterator matches = rpmtsInitIterator(ts, RPMDBI_PROVIDENAME, name, 0);
	bool found = false;
	Header h;

	while (!found && (h = rpmdbNextIterator(matches))) {
		struct rpmtd_s names, versions;
		const char *text;

		if (!headerGet(h, RPMTAG_PROVIDENAME, &names, HEADERGET_MINMEM))
			continue;
		headerGet(h, RPMTAG_PROVIDEVERSION, &versions, HEADERGET_MINMEM);
		while (!found && (text = rpmtdNextString(&names))) {
			const char *version = rpmtdNextString(&versions);

			found = strcmp(text, name) == 0 && version &&
				strcmp(version, evr) == 0;
		}
		rpmtdFreeData(&versions);
		rpmtdFreeData(&names);
	}
	rpmdbFreeIterator(matches);
	return found;
}

/* --- changing it */

bool ks_db_is_locked(rpmts ts, long caller, long *pid)
{
	char *path = rpmGenPath(rpmtsRootDir(ts), "%{?_rpmlock_path}", NULL);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool locked;

	free(path);
	if (fd < 0)
		return false;
	locked = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	close(fd);
	*pid = locked ? (long)lock.l_pid : 0;
	return locked && (!caller || *pid != caller);
}

bool ks_db_import(rpmtxn txn, Header h, struct ks_why *why)
{
	if (rpmtsImportHeader(txn, h, 0) == RPMRC_OK)
		return true;
	return ks_why_set(why, "rpm's database did not take it");
}

static bool add_to_drop(rpmts nested, unsigned int instance)
{
	Header h = ks_db_header(nested, instance);
	bool ok = !h || rpmtsAddEraseElement(nested, h, (int)instance) == 0;

	headerFree(h);
	return ok;
}

/*
 * A nested transaction takes rpm's lock too, and gives up the outer one with it:
 * POSIX locks of a process go when it closes any descriptor of the file. So it is
 * given another file to lock.
 */
bool ks_db_drop(rpmts ts, const unsigned int *instances, size_t n_instances,
		struct ks_why *why)
{
	char *lock_path = rpmExpand("%{_dbpath}/.kmodsmith.lock", NULL);
	char *host_path = rpmGenPath(rpmtsRootDir(ts), lock_path, NULL);
	rpmts nested;
	bool ok = true;

	if (!n_instances) {
		free(lock_path);
		free(host_path);
		return true;
	}
	rpmPushMacro(NULL, "_rpmlock_path", NULL, lock_path, MACRO_LEVEL);
	nested = rpmtsCreate();
	rpmtsSetRootDir(nested, rpmtsRootDir(ts));
	rpmtsSetFlags(nested, RPMTRANS_FLAG_NOPLUGINS | RPMTRANS_FLAG_JUSTDB |
				      RPMTRANS_FLAG_NOSCRIPTS | RPMTRANS_FLAG_NOTRIGGERS);
	for (size_t i = 0; ok && i < n_instances; i++)
		ok = add_to_drop(nested, instances[i]);
	ok = ok && rpmtsRun(nested, NULL, 0) == 0;
	rpmtsFree(nested);
	rpmPopMacro(NULL, "_rpmlock_path");
	unlink(host_path);
	free(lock_path);
	free(host_path);
	return ok || ks_why_set(why, "rpm did not drop records from its database");
}
