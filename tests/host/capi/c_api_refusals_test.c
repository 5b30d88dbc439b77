/* SPDX-FileCopyrightText: The tonnage authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The C interface from C: what it refuses, NULL everywhere, callers of other ages. */
#include "c_api_fixture.h"

static void test_input(void) {
  tonnage_system* system = (tonnage_system*)&failures; /* must be overwritten */
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_system_from_json("{", 1, &system, error));
  CHECK(system == NULL);
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_system_from_json("", 0, &system, error));
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_system_from_json("{}", 2, &system, error));
  CHECK_STATUS(TONNAGE_INVALID_INPUT,
               tonnage_system_from_json(kFleet, strlen(kFleet) - 1, &system, error));
  /* a NUL among the bytes does not end them */
  CHECK_STATUS(TONNAGE_INVALID_INPUT,
               tonnage_system_from_json(kFleet, strlen(kFleet) + 1, &system, error));
  CHECK(strstr(tonnage_error_message(error), "a NUL byte at line ") != NULL);
  CHECK_STATUS(TONNAGE_IO, tonnage_system_from_path("no/such/file.json", &system, error));
  CHECK(system == NULL && strstr(tonnage_error_message(error), "no/such/file.json") != NULL);
  CHECK_STATUS(TONNAGE_IO, tonnage_system_from_path("-", &system, error)); /* a file's name */
  CHECK_STATUS(TONNAGE_OK, tonnage_system_from_path(TONNAGE_EXAMPLE_FLEET, &system, error));
  tonnage_plan* plan = make_plan(system);
  const tonnage_plan_summary summary = summary_of(plan);
  CHECK(summary.num_allocations + summary.num_unallocated == 16);
  CHECK(summary.num_unallocated > 0 && summary.complete == 0);
  tonnage_allocation a = TONNAGE_INIT(tonnage_allocation);
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_find_allocation(plan, "demo", &a, error));
  CHECK(a.accelerator[0] == '\0' && a.num_replicas == 0 && a.cost == 0);
  CHECK_STATUS(TONNAGE_NOT_FOUND, tonnage_plan_find_allocation(plan, "trading-desk", &a, error));
  size_t num_partial = 0;
  for (size_t i = 0; i < summary.num_allocations; ++i) {
    CHECK_STATUS(TONNAGE_OK, tonnage_plan_get_allocation(plan, i, &a, error));
    if (a.partial) CHECK(++num_partial > 0 && a.num_replicas < a.replicas_needed);
  }
  CHECK(num_partial > 0);
  tonnage_plan_free(plan);
  tonnage_system_free(system);
}

static void test_refusals(void) {
  tonnage_system* s = make_system();
  CHECK_STATUS(TONNAGE_NOT_FOUND, tonnage_system_set_capacity(s, "Ccard", 1, error));
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_system_set_capacity(s, "Acard", -1, error));
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_system_set_capacity(s, "Acard", INT64_MAX, error));
  CHECK_STATUS(TONNAGE_NOT_FOUND, tonnage_system_set_load(s, "s9", 1, 1, 1, error));
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_system_set_load(s, "s1", -1, 1, 1, error));
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_system_set_load(s, "s1", NAN, 1, 1, error));
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_system_set_load(s, "s1", INFINITY, 1, 1, error));
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_system_set_load(s, "s1", 1, -1, 1, error));
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_system_set_load(s, "s1", 1, 1, INT64_MAX, error));
  CHECK_STATUS(TONNAGE_NOT_FOUND,
               tonnage_system_set_current_allocation(s, "s9", "A", 1, 1, 1, error));
  CHECK_STATUS(TONNAGE_INVALID_INPUT,
               tonnage_system_set_current_allocation(s, "s1", "A", -1, 1, 1, error));
  CHECK_STATUS(TONNAGE_INVALID_INPUT,
               tonnage_system_set_current_allocation(s, "s1", "A", 1, -1, 1, error));
  CHECK_STATUS(TONNAGE_INVALID_INPUT,
               tonnage_system_set_current_allocation(s, "s1", "A", 1, 1, NAN, error));
  CHECK_STATUS(TONNAGE_INVALID_INPUT,
               tonnage_system_set_current_allocation(s, "s1", "", 1, 0, 0, error));

  tonnage_server server = TONNAGE_INIT(tonnage_server);
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_system_set_server(s, &server, error)); /* no name */
  server.name = "";
  server.model = "m";
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_system_set_server(s, &server, error));
  server.name = "new";
  server.min_num_replicas = -1;
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_system_set_server(s, &server, error));
  server.min_num_replicas = 2;
  server.max_num_replicas = 1;
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_system_set_server(s, &server, error));

  /* Nothing of all that left a trace. */
  tonnage_system_counts counts = TONNAGE_INIT(tonnage_system_counts);
  CHECK_STATUS(TONNAGE_OK, tonnage_system_get_counts(s, &counts, error));
  CHECK(counts.num_servers == 2 && counts.num_capacities == 2);
  tonnage_plan* untouched = make_plan(s);
  tonnage_system* fresh = make_system();
  tonnage_plan* reference = make_plan(fresh);
  const char *got = "", *expected = " ";
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_to_json(untouched, &got, error));
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_to_json(reference, &expected, error));
  CHECK(strcmp(got, expected) == 0);
  tonnage_plan_free(reference);
  tonnage_plan_free(untouched);
  tonnage_system_free(fresh);

  tonnage_plan* plan = NULL;
  tonnage_plan_options options = TONNAGE_INIT(tonnage_plan_options);
  options.solver = 9;
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_plan_make(s, &options, &plan, error));
  options.solver = TONNAGE_SOLVER_AUTO;
  options.batch = -1;
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_plan_make(s, &options, &plan, error));
  options.batch = TONNAGE_BATCH_MAX;
  options.num_threads = -1;
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_plan_make(s, &options, &plan, error));
  options.num_threads = 0;
  options.backend = "abacus";
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_plan_make(s, &options, &plan, error));
  CHECK(plan == NULL && strstr(tonnage_error_message(error), "abacus") != NULL);
  tonnage_system_free(s);
}

static void test_null(void) {
  tonnage_system* system = make_system();
  tonnage_plan* plan = make_plan(system);
  tonnage_system* no_system = NULL;
  tonnage_plan* no_plan = NULL;
  tonnage_system_counts counts = TONNAGE_INIT(tonnage_system_counts);
  tonnage_plan_summary summary = TONNAGE_INIT(tonnage_plan_summary);
  tonnage_allocation allocation = TONNAGE_INIT(tonnage_allocation);
  tonnage_unallocated left = TONNAGE_INIT(tonnage_unallocated);
  tonnage_type_usage usage = TONNAGE_INIT(tonnage_type_usage);
  tonnage_server server = TONNAGE_INIT(tonnage_server);
  const char* text = NULL;
  const tonnage_status refused = TONNAGE_INVALID_INPUT;
  CHECK_STATUS(refused, tonnage_system_from_json(NULL, 0, &no_system, error));
  CHECK_STATUS(refused, tonnage_system_from_json(kFleet, strlen(kFleet), NULL, error));
  CHECK_STATUS(refused, tonnage_system_from_path(NULL, &no_system, error));
  CHECK_STATUS(refused, tonnage_system_from_path(TONNAGE_EXAMPLE_FLEET, NULL, error));
  CHECK_STATUS(refused, tonnage_system_warnings(NULL, &text, error));
  CHECK_STATUS(refused, tonnage_system_warnings(system, NULL, error));
  CHECK_STATUS(refused, tonnage_system_get_counts(NULL, &counts, error));
  CHECK_STATUS(refused, tonnage_system_get_counts(system, NULL, error));
  CHECK_STATUS(refused, tonnage_system_set_capacity(NULL, "Acard", 1, error));
  CHECK_STATUS(refused, tonnage_system_set_capacity(system, NULL, 1, error));
  CHECK_STATUS(refused, tonnage_system_set_load(NULL, "s1", 1, 1, 1, error));
  CHECK_STATUS(refused, tonnage_system_set_load(system, NULL, 1, 1, 1, error));
  CHECK_STATUS(refused, tonnage_system_set_current_allocation(NULL, "s1", "A", 1, 1, 1, error));
  CHECK_STATUS(refused, tonnage_system_set_current_allocation(system, NULL, "A", 1, 1, 1, error));
  CHECK_STATUS(refused, tonnage_system_set_server(NULL, &server, error));
  CHECK_STATUS(refused, tonnage_system_set_server(system, NULL, error));
  server.name = "new";
  CHECK_STATUS(refused, tonnage_system_set_server(system, &server, error)); /* no model */
  CHECK_STATUS(refused, tonnage_system_remove_server(NULL, "s1", error));
  CHECK_STATUS(refused, tonnage_system_remove_server(system, NULL, error));
  CHECK_STATUS(refused, tonnage_system_apply_plan(NULL, plan, error));
  CHECK_STATUS(refused, tonnage_system_apply_plan(system, NULL, error));
  CHECK_STATUS(refused, tonnage_plan_make(NULL, NULL, &no_plan, error));
  CHECK_STATUS(refused, tonnage_plan_make(system, NULL, NULL, error));
  CHECK_STATUS(refused, tonnage_plan_get_summary(NULL, &summary, error));
  CHECK_STATUS(refused, tonnage_plan_get_summary(plan, NULL, error));
  CHECK_STATUS(refused, tonnage_plan_get_allocation(NULL, 0, &allocation, error));
  CHECK_STATUS(refused, tonnage_plan_get_allocation(plan, 0, NULL, error));
  CHECK_STATUS(refused, tonnage_plan_find_allocation(NULL, "s1", &allocation, error));
  CHECK_STATUS(refused, tonnage_plan_find_allocation(plan, NULL, &allocation, error));
  CHECK_STATUS(refused, tonnage_plan_find_allocation(plan, "s1", NULL, error));
  CHECK_STATUS(refused, tonnage_plan_get_unallocated(NULL, 0, &left, error));
  tonnage_part part = TONNAGE_INIT(tonnage_part);
  CHECK_STATUS(refused, tonnage_plan_get_part(NULL, 0, 0, &part, error));
  CHECK_STATUS(refused, tonnage_plan_get_type_usage(NULL, 0, &usage, error));
  CHECK_STATUS(refused, tonnage_plan_get_type_usage(plan, 0, NULL, error));
  CHECK_STATUS(refused, tonnage_plan_to_json(NULL, &text, error));
  CHECK_STATUS(refused, tonnage_plan_to_json(plan, NULL, error));

  /* Without an error object the statuses are the same. */
  CHECK(tonnage_system_remove_server(system, "s9", NULL) == TONNAGE_NOT_FOUND);
  CHECK(tonnage_system_get_counts(system, &counts, NULL) == TONNAGE_OK);
  CHECK(tonnage_error_message(NULL)[0] == '\0');
  tonnage_error_free(NULL);
  tonnage_system_free(NULL);
  tonnage_plan_free(NULL);
  tonnage_plan_free(plan);
  tonnage_system_free(system);
}

/* Callers compiled with the structs of other versions. */
static void test_struct_sizes(void) {
  tonnage_system* system = make_system();
  tonnage_plan* plan = make_plan(system);

  /* Older: gets the fields it knows, and nothing is written beyond them. */
  union {
    tonnage_allocation now;
    struct {
      size_t struct_size;
      const char* server;
      unsigned char behind[sizeof(tonnage_allocation)];
    } old;
  } a;
  memset(&a, 0x5a, sizeof(a));
  a.old.struct_size = offsetof(tonnage_allocation, accelerator);
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_get_allocation(plan, 0, &a.now, error));
  CHECK(strcmp(a.old.server, "s1") == 0 &&
        a.old.struct_size == offsetof(tonnage_allocation, accelerator));
  for (size_t i = 0; i < sizeof(a.old.behind); ++i) CHECK(a.old.behind[i] == 0x5a);

  /* Newer: gets zeros in the fields this version does not know. */
  struct {
    tonnage_allocation now;
    double unknown;
    unsigned char behind;
  } newer;
  memset(&newer, 0x5a, sizeof(newer));
  newer.now.struct_size = sizeof(newer.now) + sizeof(newer.unknown);
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_get_allocation(plan, 0, &newer.now, error));
  CHECK(newer.unknown == 0 && newer.behind == 0x5a && newer.now.num_replicas > 0);

  /* A size that was never set. */
  tonnage_allocation unset;
  memset(&unset, 0, sizeof(unset));
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_plan_get_allocation(plan, 0, &unset, error));
  unset.struct_size = sizeof(size_t) - 1;
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_plan_get_allocation(plan, 0, &unset, error));

  /* Options: what an older caller does not have is not read, what a newer one sets is refused. */
  tonnage_plan* made = NULL;
  tonnage_plan_options options = TONNAGE_INIT(tonnage_plan_options);
  options.solver = TONNAGE_SOLVER_UNLIMITED;
  options.num_threads = -1; /* beyond the older struct */
  options.struct_size = offsetof(tonnage_plan_options, batch);
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_make(system, &options, &made, error));
  CHECK(made != NULL && strcmp(summary_of(made).solver, "unlimited") == 0);
  tonnage_plan_free(made);
  options.struct_size = 0;
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_plan_make(system, &options, &made, error));
  struct {
    tonnage_plan_options now;
    int64_t unknown;
  } future;
  memset(&future, 0, sizeof(future));
  future.now.struct_size = sizeof(future);
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_make(system, &future.now, &made, error));
  tonnage_plan_free(made);
  future.unknown = 1;
  CHECK_STATUS(TONNAGE_INVALID_INPUT, tonnage_plan_make(system, &future.now, &made, error));
  tonnage_plan_free(plan);
  tonnage_system_free(system);
}

int main(void) {
  error = tonnage_error_new();
  if (error == NULL) return EXIT_FAILURE;
  test_input();
  test_refusals();
  test_null();
  test_struct_sizes();
  return finish();
}
