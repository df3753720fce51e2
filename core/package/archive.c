/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libarchive, loaded when it is needed. */
#include "core/package/archive.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#include "core/support/error.h"

static const char *const names[] = {
#define NAME(name) #name,
	KS_ARCHIVE_FUNCTIONS(NAME)
#undef NAME
};

/* The slots in the same order, as dlsym(3) gives them. */
union slots {
	struct ks_archive functions;
	void *found[G_N_ELEMENTS(names)];
};
G_STATIC_ASSERT(sizeof(struct ks_archive) == sizeof(void *) * G_N_ELEMENTS(names));

static bool find_all(void *library, union slots *slots)
{
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		slots->found[i] = dlsym(library, names[i]);
		if (!slots->found[i])
			return false;
	}
	return true;
}

const struct ks_archive *ks_archive_load(GError **error)
{
	static union slots slots;
	static bool loaded;
	void *library;

	if (loaded)
		return &slots.functions;
	library = dlopen(LIBARCHIVE_SONAME, RTLD_NOW | RTLD_LOCAL);
	if (!library || !find_all(library, &slots)) {
		ks_error_set(error, KS_ERROR_FAILED, "cannot load libarchive: %s",
			     dlerror());
		if (library)
			dlclose(library);
		return NULL;
	}
	loaded = true;
	return &slots.functions;
}
