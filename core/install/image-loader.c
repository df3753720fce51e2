/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration of kernel-install(8). */
#include <string.h>

#include "core/install/image-private.h"
#include "core/support/assignment.h"

#define MAX_CONF_BYTES 65536

/* Of several files the first is read; drop-ins (systemd 256) are all read, /etc's last. */
static const char *const conf_dirs[] = {"/etc/kernel", "/run/kernel",
					"/usr/local/lib/kernel", "/usr/lib/kernel"};

static bool append_file(const struct ks_system *system, GString *text, const char *path)
{
	g_autofree char *part =
		ks_root_read_file(system->root, path, MAX_CONF_BYTES, NULL, NULL);

	if (part)
		g_string_append_printf(text, "%s\n", part);
	return part != NULL;
}

static void append_drop_ins(const struct ks_system *system, GString *text,
			    const char *conf_dir)
{
	g_autofree char *dir = g_build_filename(conf_dir, "install.conf.d", NULL);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, NULL);

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *path = g_build_filename(dir, names->pdata[i], NULL);

		if (g_str_has_suffix(path, ".conf"))
			append_file(system, text, path);
	}
}

static char *read_install_conf(const struct ks_system *system)
{
	GString *text = g_string_new(NULL);
	bool found = false;

	for (size_t i = 0; i < G_N_ELEMENTS(conf_dirs) && !found; i++) {
		g_autofree char *path =
			g_build_filename(conf_dirs[i], "install.conf", NULL);

		found = append_file(system, text, path);
	}
	for (size_t i = G_N_ELEMENTS(conf_dirs); i-- > 0;)
		append_drop_ins(system, text, conf_dirs[i]);
	return g_string_free(text, FALSE);
}

/* A value that can be part of a path; NULL: not set. */
static char *find_name(const char *text, const char *key)
{
	g_autofree char *value = text ? ks_assignment_find(text, key) : NULL;

	if (!value || !*value || *value == '.' || strchr(value, '/'))
		return NULL;
	return g_steal_pointer(&value);
}

static char *read_os_release(const struct ks_system *system)
{
	char *text = ks_root_read_file(system->root, "/etc/os-release", MAX_CONF_BYTES,
				       NULL, NULL);

	return text ? text
		    : ks_root_read_file(system->root, "/usr/lib/os-release",
					MAX_CONF_BYTES, NULL, NULL);
}

static char *find_machine_id(const struct ks_system *system, const char *conf)
{
	g_autofree char *info = ks_root_read_file(system->root, "/etc/machine-info",
						  MAX_CONF_BYTES, NULL, NULL);
	char *id = find_name(conf, "MACHINE_ID");

	if (!id)
		id = find_name(info, "KERNEL_INSTALL_MACHINE_ID");
	return id ? id : ks_image_read_word(system, "/etc/machine-id");
}

static void add_name(GPtrArray *names, char *name)
{
	if (name)
		g_ptr_array_add(names, name);
}

static char **find_tokens(const struct ks_system *system, const char *conf)
{
	g_autofree char *os = read_os_release(system);
	GPtrArray *tokens = g_ptr_array_new();

	add_name(tokens, ks_image_read_word(system, "/etc/kernel/entry-token"));
	if (!tokens->len) {
		add_name(tokens, find_machine_id(system, conf));
		add_name(tokens, find_name(os, "IMAGE_ID"));
		add_name(tokens, find_name(os, "ID"));
		g_ptr_array_add(tokens, g_strdup("Default"));
	}
	g_ptr_array_add(tokens, NULL);
	return (char **)g_ptr_array_free(tokens, FALSE);
}

static char **find_roots(const char *conf)
{
	static const char *const usual[] = {"/efi", "/boot/efi", "/boot", NULL};
	g_autofree char *root = ks_assignment_find(conf, "BOOT_ROOT");
	const char *const named[] = {root, NULL};

	return g_strdupv((char **)(root && *root == '/' ? named : usual));
}

void ks_image_loader_init(struct ks_image_loader *loader, const struct ks_system *system)
{
	g_autofree char *conf = read_install_conf(system);
	g_autofree char *layout = ks_assignment_find(conf, "layout");

	loader->roots = find_roots(conf);
	loader->tokens = find_tokens(system, conf);
	loader->layout = layout && *layout && strcmp(layout, "auto") != 0
				 ? g_steal_pointer(&layout)
				 : NULL;
}

void ks_image_loader_clear(struct ks_image_loader *loader)
{
	g_strfreev(loader->roots);
	g_strfreev(loader->tokens);
	g_free(loader->layout);
}

bool ks_image_loader_makes_entries(const struct ks_image_loader *loader,
				   const struct ks_system *system, const char *root)
{
	g_autofree char *path = g_build_filename(root, "loader/entries.srel", NULL);
	g_autofree char *type = NULL;

	if (loader->layout)
		return strcmp(loader->layout, "bls") == 0;
	/* without that file the directory of the token is its sign */
	type = ks_image_read_word(system, path);
	return !type || strcmp(type, "type1") == 0;
}

bool ks_image_loader_makes_ukis(const struct ks_image_loader *loader)
{
	return loader->layout && strcmp(loader->layout, "uki") == 0;
}
