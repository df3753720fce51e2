/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inventory and plan as JSON. */
#include "cli/json.h"

#include "cli/find.h"
#include "cli/fit.h"
#include "cli/json-document.h"

static json_t *record_of(const struct ks_inventory *inventory,
			 const struct ks_target *target)
{
	const struct ks_record_entry *entry = ks_source_find_record(inventory, target);

	return entry ? ks_json_text(entry->package) : json_null();
}

static json_t *target_object(const struct ks_inventory *inventory,
			     const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;
	g_autofree char *unresolved = ks_verdict_unresolved(verdict);
	json_t *object = json_object();

	json_object_set_new(object, "module", ks_json_text(target->source->name));
	json_object_set_new(object, "version", ks_json_text(target->source->version));
	json_object_set_new(object, "kernel", ks_json_text(target->kernel->release));
	json_object_set_new(object, "arch", ks_json_text(target->kernel->arch));
	json_object_set_new(object, "image", json_boolean(target->kernel->has_image));
	json_object_set_new(object, "foreign", json_boolean(target->kernel->is_foreign));
	json_object_set_new(object, "state",
			    ks_json_text(ks_target_state_id(verdict->state)));
	json_object_set_new(object, "reason",
			    ks_json_text(ks_reason_id(verdict->reason)));
	json_object_set_new(object, "reason_words",
			    ks_json_text(ks_reason_words(verdict->reason)));
	json_object_set_new(object, "detail", ks_json_text(verdict->detail));
	json_object_set_new(object, "wanted", json_boolean(verdict->wanted));
	json_object_set_new(object, "lost_on_next_boot",
			    json_boolean(verdict->lost_from != NULL));
	json_object_set_new(object, "installed",
			    json_boolean(target->installed == KS_INSTALLED_OK));
	json_object_set_new(object, "record", record_of(inventory, target));
	json_object_set_new(object, "unresolved", ks_json_text(unresolved));
	return object;
}

static json_t *problems(const struct ks_inventory *inventory,
			const struct ks_selection *selection)
{
	json_t *array = json_array();

	for (guint i = 0; !selection->module && i < inventory->problems->len; i++)
		json_array_append_new(
			array, ks_json_text(g_ptr_array_index(inventory->problems, i)));
	for (guint i = 0; i < inventory->sources->len; i++) {
		const struct ks_source *source = g_ptr_array_index(inventory->sources, i);

		if (source->problem && ks_selection_has_source(selection, source))
			json_array_append_new(array, ks_json_text(source->problem));
	}
	return array;
}

void ks_json_print_status(const struct ks_inventory *inventory,
			  const struct ks_plan *plan,
			  const struct ks_selection *selection)
{
	json_t *document = ks_json_document_new();
	json_t *targets = json_array();

	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);

		if (ks_verdict_is_shown(verdict) &&
		    ks_selection_has(selection, verdict->target))
			json_array_append_new(targets, target_object(inventory, verdict));
	}
	json_object_set_new(document, "targets", targets);
	json_object_set_new(document, "problems", problems(inventory, selection));
	ks_json_document_print(document);
}

static json_t *indices(const GArray *array)
{
	json_t *list = json_array();

	for (guint i = 0; array && i < array->len; i++)
		json_array_append_new(list, json_integer(g_array_index(array, guint, i)));
	return list;
}

static json_t *action_object(const struct ks_action *action)
{
	const struct ks_source *source = ks_source_of_action(action);
	const struct ks_kernel *kernel = ks_source_kernel_of_action(action);
	json_t *object = json_object();

	json_object_set_new(object, "kind",
			    ks_json_text(ks_action_kind_id(action->kind)));
	json_object_set_new(object, "module", ks_json_text(source ? source->name : NULL));
	json_object_set_new(object, "version",
			    ks_json_text(source ? source->version : NULL));
	json_object_set_new(object, "kernel",
			    ks_json_text(kernel ? kernel->release : NULL));
	json_object_set_new(object, "arch", ks_json_text(kernel ? kernel->arch : NULL));
	json_object_set_new(object, "reason", ks_json_text(ks_reason_id(action->reason)));
	json_object_set_new(object, "reason_words",
			    ks_json_text(ks_reason_words(action->reason)));
	json_object_set_new(object, "detail", ks_json_text(action->detail));
	json_object_set_new(object, "needs", indices(action->needs));
	json_object_set_new(object, "after", indices(action->after));
	return object;
}

void ks_json_print_plan(const struct ks_inventory *inventory, const struct ks_plan *plan)
{
	static const struct ks_selection everything;
	json_t *document = ks_json_document_new();
	json_t *actions = json_array();

	for (guint i = 0; i < plan->actions->len; i++)
		json_array_append_new(actions,
				      action_object(g_ptr_array_index(plan->actions, i)));
	json_object_set_new(document, "actions", actions);
	json_object_set_new(document, "problems", problems(inventory, &everything));
	ks_json_document_print(document);
}

static const char *find_unsound(const struct ks_outcome *outcome, const char *release)
{
	return outcome->unsound ? g_hash_table_lookup(outcome->unsound, release) : NULL;
}

static json_t *fit_object(const struct ks_outcome *outcome,
			  const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;
	g_autofree char *why =
		ks_fit_reason(verdict, find_unsound(outcome, target->kernel->release));
	json_t *object = json_object();

	json_object_set_new(object, "module", ks_json_text(target->source->name));
	json_object_set_new(object, "version", ks_json_text(target->source->version));
	json_object_set_new(object, "kernel", ks_json_text(target->kernel->release));
	json_object_set_new(object, "arch", ks_json_text(target->kernel->arch));
	json_object_set_new(object, "fit", ks_json_text(ks_fit_id(ks_fit_of(verdict))));
	json_object_set_new(object, "why", ks_json_text(why));
	json_object_set_new(object, "state",
			    ks_json_text(ks_target_state_id(verdict->state)));
	json_object_set_new(object, "reason",
			    ks_json_text(ks_reason_id(verdict->reason)));
	return object;
}

static json_t *fits_of_kernels(const struct ks_outcome *outcome, char **releases)
{
	json_t *kernels = json_array();

	for (; releases && *releases; releases++) {
		const enum ks_fit fit = ks_fit_of_kernel(outcome->plan, *releases);
		json_t *object = json_object();

		json_object_set_new(object, "kernel", ks_json_text(*releases));
		json_object_set_new(object, "fit", ks_json_text(ks_fit_id(fit)));
		json_array_append_new(kernels, object);
	}
	return kernels;
}

void ks_json_print_preflight(const struct ks_outcome *outcome, char **releases)
{
	json_t *document = ks_json_document_new();
	json_t *targets = json_array();

	for (guint i = 0; outcome && i < outcome->plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = outcome->plan->verdicts->pdata[i];

		if (verdict->target->kernel->incoming)
			json_array_append_new(targets, fit_object(outcome, verdict));
	}
	json_object_set_new(document, "kernels", fits_of_kernels(outcome, releases));
	json_object_set_new(document, "targets", targets);
	ks_json_document_print(document);
}

void ks_json_print_exported(const char *format, const GPtrArray *made)
{
	json_t *document = ks_json_document_new();
	json_t *packages = json_array();

	for (guint i = 0; i < made->len; i++) {
		const struct ks_exported *exported = g_ptr_array_index(made, i);
		json_t *object = json_object();

		json_object_set_new(object, "module", ks_json_text(exported->module));
		json_object_set_new(object, "version", ks_json_text(exported->version));
		json_object_set_new(object, "kernel", ks_json_text(exported->release));
		json_object_set_new(object, "arch", ks_json_text(exported->arch));
		json_object_set_new(object, "format", ks_json_text(format));
		json_object_set_new(object, "path", ks_json_text(exported->path));
		json_array_append_new(packages, object);
	}
	json_object_set_new(document, "packages", packages);
	ks_json_document_print(document);
}

void ks_json_print_lint(const struct ks_conf *conf, const GPtrArray *findings,
			const struct ks_plan *plan, const struct ks_inventory *inventory)
{
	json_t *document = ks_json_document_new();
	json_t *list = json_array();
	json_t *targets = json_array();

	for (guint i = 0; i < findings->len; i++) {
		const struct ks_lint_finding *finding = g_ptr_array_index(findings, i);
		json_t *object = json_object();

		json_object_set_new(
			object, "severity",
			ks_json_text(finding->is_error ? "error" : "warning"));
		json_object_set_new(object, "text", ks_json_text(finding->text));
		json_array_append_new(list, object);
	}
	for (guint i = 0; plan && i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);

		if (ks_verdict_is_shown(verdict))
			json_array_append_new(targets, target_object(inventory, verdict));
	}
	json_object_set_new(document, "module",
			    ks_json_text(conf ? conf->package_name : NULL));
	json_object_set_new(document, "version",
			    ks_json_text(conf ? conf->package_version : NULL));
	json_object_set_new(document, "findings", list);
	json_object_set_new(document, "targets", targets);
	ks_json_document_print(document);
}
