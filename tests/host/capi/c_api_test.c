/* SPDX-FileCopyrightText: The tonnage authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The C interface from C: reading, planning, changing, several systems, options. */
#include "c_api_fixture.h"

static void test_names(void) {
  CHECK(strcmp(tonnage_version(), TONNAGE_EXPECTED_VERSION) == 0);
  for (int a = TONNAGE_OK; a <= TONNAGE_STOPPED; ++a) {
    CHECK(strcmp(tonnage_status_name((tonnage_status)a), "unknown status") != 0);
    for (int b = TONNAGE_OK; b < a; ++b) {
      CHECK(strcmp(tonnage_status_name((tonnage_status)a),
                   tonnage_status_name((tonnage_status)b)) != 0);
    }
  }
  CHECK(strcmp(tonnage_status_name((tonnage_status)99), "unknown status") == 0);
}

static void test_plan(void) {
  tonnage_system* system = make_system();
  tonnage_system_counts counts = TONNAGE_INIT(tonnage_system_counts);
  CHECK_STATUS(TONNAGE_OK, tonnage_system_get_counts(system, &counts, error));
  CHECK(counts.num_accelerators == 2 && counts.num_models == 1 && counts.num_service_classes == 1 &&
        counts.num_servers == 2 && counts.num_capacities == 2);
  const char* warnings = NULL;
  CHECK_STATUS(TONNAGE_OK, tonnage_system_warnings(system, &warnings, error));
  CHECK(warnings != NULL && warnings[0] == '\0');

  tonnage_plan* plan = make_plan(system);
  tonnage_system_free(system); /* the plan needs it no more */
  const tonnage_plan_summary summary = summary_of(plan);
  CHECK(summary.num_allocations == 2 && summary.num_unallocated == 0 && summary.num_types == 2);
  CHECK(summary.complete == 1 && summary.num_candidates == 4);
  CHECK(strcmp(summary.solver, "price") == 0 && summary.backend[0] != '\0');

  double cost = 0, value = 0, type_cost = 0;
  int64_t cards = 0, cards_used = 0;
  for (size_t i = 0; i < summary.num_allocations; ++i) {
    tonnage_allocation a = TONNAGE_INIT(tonnage_allocation);
    CHECK_STATUS(TONNAGE_OK, tonnage_plan_get_allocation(plan, i, &a, error));
    CHECK(strcmp(a.server, i == 0 ? "s1" : "s2") == 0);
    CHECK(a.num_replicas >= 1 && a.num_replicas == a.replicas_needed && a.partial == 0);
    CHECK(a.max_batch >= 1 && a.priority == 1);
    CHECK(a.itl_ms > 0 && a.itl_ms <= 40 && a.ttft_ms > 0 && a.ttft_ms <= 500);
    CHECK(a.rho > 0 && a.rho < 1 && a.drop_probability >= 0 && a.drop_probability < 1);
    CHECK(a.max_rpm * (double)a.num_replicas >= (i == 0 ? 60 : 30));
    CHECK(a.ttft_p50_ms <= a.ttft_p90_ms && a.ttft_p90_ms <= a.ttft_p95_ms &&
          a.ttft_p95_ms <= a.ttft_p99_ms && a.power_w > 0);
    cost += a.cost;
    value += a.value;
    cards += a.num_replicas * (strcmp(a.accelerator, "B") == 0 ? 2 : 1);
    tonnage_allocation found = TONNAGE_INIT(tonnage_allocation);
    CHECK_STATUS(TONNAGE_OK, tonnage_plan_find_allocation(plan, a.server, &found, error));
    CHECK(found.server == a.server && found.cost == a.cost);
  }
  for (size_t i = 0; i < summary.num_types; ++i) {
    tonnage_type_usage t = TONNAGE_INIT(tonnage_type_usage);
    CHECK_STATUS(TONNAGE_OK, tonnage_plan_get_type_usage(plan, i, &t, error));
    CHECK(strcmp(t.type, i == 0 ? "Acard" : "Bcard") == 0 && t.limit == 4 && t.used <= 4);
    cards_used += t.used;
    type_cost += t.cost;
  }
  CHECK(cards == cards_used);
  CHECK(fabs(cost - summary.total_cost) < 1e-9 && fabs(type_cost - cost) < 1e-9);
  CHECK(fabs(value - summary.total_value) < 1e-9);

  const char *json = NULL, *again = NULL;
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_to_json(plan, &json, error));
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_to_json(plan, &again, error));
  CHECK(json == again && strstr(json, "\"allocations\"") != NULL && strstr(json, "\"s2\"") != NULL);

  tonnage_allocation a = TONNAGE_INIT(tonnage_allocation);
  tonnage_unallocated u = TONNAGE_INIT(tonnage_unallocated);
  tonnage_type_usage t = TONNAGE_INIT(tonnage_type_usage);
  CHECK_STATUS(TONNAGE_NOT_FOUND, tonnage_plan_get_allocation(plan, 2, &a, error));
  CHECK_STATUS(TONNAGE_NOT_FOUND, tonnage_plan_get_allocation(plan, SIZE_MAX, &a, error));
  CHECK_STATUS(TONNAGE_NOT_FOUND, tonnage_plan_find_allocation(plan, "s0", &a, error));
  CHECK_STATUS(TONNAGE_NOT_FOUND, tonnage_plan_find_allocation(plan, "s3", &a, error));
  CHECK_STATUS(TONNAGE_NOT_FOUND, tonnage_plan_get_unallocated(plan, 0, &u, error));
  tonnage_part part = TONNAGE_INIT(tonnage_part);
  CHECK_STATUS(TONNAGE_NOT_FOUND, tonnage_plan_get_part(plan, 0, 0, &part, error));
  CHECK_STATUS(TONNAGE_NOT_FOUND, tonnage_plan_get_type_usage(plan, 2, &t, error));
  tonnage_plan_free(plan);
}

static void test_changes(void) {
  tonnage_system* system = make_system();
  tonnage_plan* before = make_plan(system);
  tonnage_allocation old = TONNAGE_INIT(tonnage_allocation);
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_find_allocation(before, "s1", &old, error));

  /* Ten times the load needs more replicas; the old plan stays what it was. */
  CHECK_STATUS(TONNAGE_OK, tonnage_system_set_capacity(system, "Acard", 1000, error));
  CHECK_STATUS(TONNAGE_OK, tonnage_system_set_capacity(system, "Bcard", 0, error));
  CHECK_STATUS(TONNAGE_OK, tonnage_system_set_load(system, "s1", 60000, 100, 100, error));
  tonnage_plan* after = make_plan(system);
  tonnage_allocation busy = TONNAGE_INIT(tonnage_allocation);
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_find_allocation(after, "s1", &busy, error));
  CHECK(strcmp(busy.accelerator, "A") == 0 && busy.num_replicas > old.num_replicas);
  CHECK(busy.max_rpm * (double)busy.num_replicas >= 60000);
  tonnage_type_usage usage = TONNAGE_INIT(tonnage_type_usage);
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_get_type_usage(after, 0, &usage, error));
  CHECK(usage.limit == 1000 && usage.used >= busy.num_replicas);

  /* Once applied, staying costs nothing. */
  CHECK(fabs(summary_of(after).total_value) > 1e-9);
  CHECK_STATUS(TONNAGE_OK, tonnage_system_apply_plan(system, after, error));
  tonnage_plan* settled = make_plan(system);
  CHECK(fabs(summary_of(settled).total_value) < 1e-9);
  CHECK(summary_of(settled).total_cost == summary_of(after).total_cost);
  tonnage_plan_free(settled);

  /* The value is counted from the current allocation that is stated. */
  CHECK_STATUS(TONNAGE_OK, tonnage_system_set_current_allocation(
                               system, "s1", "A", busy.num_replicas, 16, busy.cost - 7, error));
  settled = make_plan(system);
  tonnage_allocation same = TONNAGE_INIT(tonnage_allocation);
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_find_allocation(settled, "s1", &same, error));
  CHECK(same.num_replicas == busy.num_replicas);
  const double same_value = same.value;
  tonnage_plan_free(settled);
  CHECK_STATUS(TONNAGE_OK,
               tonnage_system_set_current_allocation(system, "s1", NULL, 0, 0, 0, error));
  settled = make_plan(system);
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_find_allocation(settled, "s1", &same, error));
  CHECK(same.value > same_value && same.value >= busy.cost);
  tonnage_plan_free(settled);

  /* No cards at all: everybody is left out, with a reason; applying that takes the cards away. */
  CHECK_STATUS(TONNAGE_OK, tonnage_system_set_capacity(system, "Acard", 0, error));
  tonnage_plan* nothing = make_plan(system);
  const tonnage_plan_summary none = summary_of(nothing);
  CHECK(none.num_allocations == 0 && none.num_unallocated == 2 && none.complete == 0);
  tonnage_unallocated left = TONNAGE_INIT(tonnage_unallocated);
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_get_unallocated(nothing, 1, &left, error));
  CHECK(strcmp(left.server, "s2") == 0 && left.reason[0] != '\0' && left.priority == 1);
  CHECK_STATUS(TONNAGE_OK, tonnage_system_apply_plan(system, nothing, error));

  /* Servers come, change and go; a plan that knows a server that went can still be applied. */
  tonnage_server server = TONNAGE_INIT(tonnage_server);
  server.name = "s3";
  server.model = "m";
  server.service_class = "Gold";
  server.min_num_replicas = 2;
  server.max_queue_size = 8;
  CHECK_STATUS(TONNAGE_OK, tonnage_system_set_capacity(system, "Acard", 1000, error));
  CHECK_STATUS(TONNAGE_OK, tonnage_system_set_server(system, &server, error));
  CHECK_STATUS(TONNAGE_OK, tonnage_system_set_load(system, "s3", 60, 100, 100, error));
  server.min_num_replicas = 3; /* the load stays */
  CHECK_STATUS(TONNAGE_OK, tonnage_system_set_server(system, &server, error));
  CHECK_STATUS(TONNAGE_OK, tonnage_system_remove_server(system, "s1", error));
  CHECK_STATUS(TONNAGE_NOT_FOUND, tonnage_system_remove_server(system, "s1", error));
  tonnage_plan* changed = make_plan(system);
  CHECK(summary_of(changed).num_allocations == 2);
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_find_allocation(changed, "s3", &same, error));
  CHECK(same.num_replicas == 3 && same.rho > 0);
  CHECK_STATUS(TONNAGE_OK, tonnage_system_apply_plan(system, after, error));

  tonnage_plan_free(changed);
  tonnage_plan_free(nothing);
  tonnage_plan_free(after);
  tonnage_plan_free(before);
  tonnage_system_free(system);
}

static void test_two_systems(void) {
  tonnage_system* one = make_system();
  tonnage_system* two = make_system();
  CHECK_STATUS(TONNAGE_OK, tonnage_system_remove_server(two, "s1", error));
  CHECK_STATUS(TONNAGE_OK, tonnage_system_set_capacity(two, "Acard", 9, error));
  tonnage_plan* plan_one = make_plan(one);
  tonnage_plan* plan_two = make_plan(two);
  CHECK(summary_of(plan_one).num_allocations == 2 && summary_of(plan_two).num_allocations == 1);
  tonnage_type_usage a = TONNAGE_INIT(tonnage_type_usage), b = TONNAGE_INIT(tonnage_type_usage);
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_get_type_usage(plan_one, 0, &a, error));
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_get_type_usage(plan_two, 0, &b, error));
  CHECK(a.limit == 4 && b.limit == 9);
  tonnage_system_free(one);
  tonnage_plan_free(plan_two);
  tonnage_system_free(two);
  CHECK(summary_of(plan_one).num_allocations == 2);
  tonnage_plan_free(plan_one);
}

static int count_calls(const char* phase, int64_t done, int64_t total, void* user) {
  CHECK(phase != NULL && phase[0] != '\0' && done >= 0 && done <= total);
  ++*(int*)user;
  return 0;
}

static int stop(const char* phase, int64_t done, int64_t total, void* user) {
  (void)phase, (void)done, (void)total, (void)user;
  return 1;
}

static void test_options(void) {
  tonnage_system* system = make_system();
  tonnage_plan* plan = NULL;
  int calls = 0;
  tonnage_plan_options options = TONNAGE_INIT(tonnage_plan_options);
  options.solver = TONNAGE_SOLVER_GREEDY;
  options.batch = TONNAGE_BATCH_SEARCH;
  options.backend = "cpu";
  options.num_threads = 2;
  options.progress = count_calls;
  options.progress_user = &calls;
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_make(system, &options, &plan, error));
  CHECK(calls > 0 && plan != NULL && strcmp(summary_of(plan).backend, "cpu") == 0);
  tonnage_plan_free(plan);
  options.progress = stop;
  CHECK_STATUS(TONNAGE_STOPPED, tonnage_plan_make(system, &options, &plan, error));
  CHECK(plan == NULL);
  options.progress = NULL;
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_make(system, &options, &plan, error)); /* still usable */
  tonnage_plan_free(plan);
  tonnage_system_free(system);
}

int main(void) {
  error = tonnage_error_new();
  if (error == NULL) return EXIT_FAILURE;
  test_names();
  test_plan();
  test_changes();
  test_two_systems();
  test_options();
  return finish();
}
