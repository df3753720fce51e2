/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Would the kernel load these modules? vermagic, symbols and their CRCs. */
#include "core/module/examine.h"

#include <string.h>

#define N_NAMED 3

enum found { FOUND_NOT, FOUND_OTHER_CRC, FOUND };

struct providers {
	bool weak;	 /* without a CRC nothing fits */
	GHashTable *set; /* symbol -> GUINT_TO_POINTER(crc): exported by the set itself */
	GPtrArray *tables; /* struct ks_symvers */
};

/* Names that are undefined in an object and never looked up: scripts/mod/modpost.c,
 * ignore_undef_symbol(). */
static bool is_never_exported(const char *name)
{
	static const char *const exact[] = {
		"__this_module",
		"_GLOBAL_OFFSET_TABLE_",
		".TOC.",
	};
	static const char *const prefixes[] = {
		/* powerpc register save and restore, linked into each module */
		"_restgpr",
		"_savegpr",
		"_rest32gpr_",
		"_save32gpr_",
		"_restvr_",
		"_savevr_",
		"_restfpr_",
		"_savefpr_",
		/* s390 expolines */
		"_r_",
		"__s390_indirect_jump_r",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(exact); i++)
		if (!strcmp(name, exact[i]))
			return true;
	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (g_str_has_prefix(name, prefixes[i]))
			return true;
	return false;
}

/* It is in the version table without being imported: its CRC stands for a layout. */
static bool is_layout(const char *name)
{
	return !strcmp(name, "module_layout") || !strcmp(name, "struct_module");
}

static enum found compare(const struct providers *providers, guint32 wanted,
			  guint32 offered, guint32 *other)
{
	bool is_known = wanted && offered;

	if (is_known ? wanted == offered : !providers->weak)
		return FOUND;
	*other = offered;
	return FOUND_OTHER_CRC;
}

/* Any provider with the right CRC will do: a module may replace the kernel's own. */
static enum found look_up(const struct providers *providers,
			  const struct ks_kmod_symbol *symbol, guint32 *other)
{
	enum found best = FOUND_NOT;
	gpointer value;
	guint32 crc;

	if (g_hash_table_lookup_extended(providers->set, symbol->name, NULL, &value))
		best = compare(providers, symbol->crc, GPOINTER_TO_UINT(value), other);
	for (guint i = 0; i < providers->tables->len && best != FOUND; i++)
		if (ks_symvers_find(g_ptr_array_index(providers->tables, i), symbol->name,
				    &crc))
			best = compare(providers, symbol->crc, crc, other);
	return best;
}

/* One kind of complaint: the first few by name, the others by number. */
struct complaint {
	GString *names;
	char *only; /* the whole sentence, should there be just one */
	unsigned int n;
};

static void complain(struct complaint *complaint, const char *name, const char *detail)
{
	if (complaint->n++ >= N_NAMED)
		return;
	if (complaint->names->len)
		g_string_append(complaint->names, ", ");
	g_string_append_printf(complaint->names, "'%s'%s", name, detail);
}

static void conclude(struct complaint *complaint, GString *problem, const char *suffix)
{
	if (complaint->n && problem->len)
		g_string_append(problem, "; ");
	if (complaint->n == 1) {
		g_string_append(problem, complaint->only);
	} else if (complaint->n > 1) {
		g_string_append_printf(problem, "symbols %s", complaint->names->str);
		if (complaint->n > N_NAMED)
			g_string_append_printf(problem, " and %u more",
					       complaint->n - N_NAMED);
		g_string_append_printf(problem, " %s", suffix);
	}
	g_string_free(complaint->names, TRUE);
	g_free(complaint->only);
}

/* The first provider that has it is the one that the kernel's build knew of. */
static void note_gpl_only(struct ks_examined *examined, GPtrArray *tables)
{
	for (guint i = 0; i < examined->imports->len; i++) {
		const struct ks_kmod_symbol *symbol =
			&g_array_index(examined->imports, struct ks_kmod_symbol, i);

		for (guint j = 0; j < tables->len; j++) {
			if (!ks_symvers_is_gpl_only(g_ptr_array_index(tables, j),
						    symbol->name))
				continue;
			g_ptr_array_add(examined->gpl_only, symbol->name);
			break;
		}
	}
}

static void complain_missing(struct complaint *missing, const char *name)
{
	if (!missing->n)
		missing->only =
			g_strdup_printf("symbol '%s' is exported by nothing", name);
	complain(missing, name, "");
}

static void complain_differing(struct complaint *differing,
			       const struct ks_kmod_symbol *symbol, guint32 other)
{
	g_autofree char *detail =
		symbol->crc && other
			? g_strdup_printf(" (0x%08x here, 0x%08x in the kernel)",
					  symbol->crc, other)
			: g_strdup(" (none)");

	if (!differing->n && symbol->crc && other)
		differing->only = g_strdup_printf("symbol '%s' has CRC 0x%08x here and "
						  "0x%08x in the kernel",
						  symbol->name, symbol->crc, other);
	else if (!differing->n)
		differing->only =
			g_strdup_printf("symbol '%s' has no CRC %s", symbol->name,
					symbol->crc ? "in the kernel" : "here");
	complain(differing, symbol->name, detail);
}

static void check_imports(struct ks_examined *examined, const struct providers *providers)
{
	struct complaint missing = {.names = g_string_new(NULL)};
	struct complaint differing = {.names = g_string_new(NULL)};
	g_autoptr(GString) problem = g_string_new(NULL);

	for (guint i = 0; i < examined->imports->len; i++) {
		const struct ks_kmod_symbol *symbol =
			&g_array_index(examined->imports, struct ks_kmod_symbol, i);
		guint32 other = 0;
		enum found found = look_up(providers, symbol, &other);

		if (found == FOUND_NOT && !symbol->weak && !is_layout(symbol->name) &&
		    !is_never_exported(symbol->name))
			complain_missing(&missing, symbol->name);
		else if (found == FOUND_OTHER_CRC)
			complain_differing(&differing, symbol, other);
		else
			continue;
		g_ptr_array_add(examined->missing,
				g_strdup_printf("0x%08x %s", symbol->crc, symbol->name));
	}
	conclude(&missing, problem, "are exported by nothing");
	conclude(&differing, problem, "have other CRCs");
	if (!problem->len)
		return;
	examined->problem = g_strdup(problem->str);
	examined->is_unresolved = true;
}

static void check_vermagic(struct ks_examined *examined, const char *release)
{
	size_t n = strlen(release);

	if (!examined->vermagic)
		examined->problem =
			g_strdup("it has no vermagic, it is not a kernel module");
	else if (strncmp(examined->vermagic, release, n) || examined->vermagic[n] != ' ')
		/* the kernel's word for it ends in a blank */
		examined->problem =
			g_strdup_printf("vermagic '%s' is not for %s",
					g_strchomp(examined->vermagic), release);
}

static GHashTable *exports_of(GPtrArray *set)
{
	GHashTable *symbols = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < set->len; i++) {
		const struct ks_examined *examined = g_ptr_array_index(set, i);

		for (guint j = 0; j < examined->exports->len; j++) {
			struct ks_kmod_symbol *symbol = &g_array_index(
				examined->exports, struct ks_kmod_symbol, j);

			g_hash_table_insert(symbols, symbol->name,
					    GUINT_TO_POINTER(symbol->crc));
		}
	}
	return symbols;
}

void ks_examine_check(GPtrArray *set, GPtrArray *tables,
		      const struct ks_examine_wanted *wanted)
{
	g_autoptr(GHashTable) exports = exports_of(set);
	const struct providers providers = {
		.weak = wanted->weak, .set = exports, .tables = tables};

	for (guint i = 0; i < set->len; i++) {
		struct ks_examined *examined = g_ptr_array_index(set, i);

		if (!examined->problem && wanted->release)
			check_vermagic(examined, wanted->release);
		note_gpl_only(examined, tables);
		/* of a module for another kernel every symbol would be wrong */
		if (!examined->problem && tables->len)
			check_imports(examined, &providers);
	}
}
