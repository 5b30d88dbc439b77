/* SPDX-FileCopyrightText: The tonnage authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The same from C, as a scheduler would: read once, change the load, plan: plan FLEET. */
#include <stdio.h>

#include "tonnage/tonnage.h"

static int report(const tonnage_plan* plan, tonnage_error* error) {
  tonnage_plan_summary summary = TONNAGE_INIT(tonnage_plan_summary);
  if (tonnage_plan_get_summary(plan, &summary, error) != TONNAGE_OK) return 1;
  for (size_t i = 0; i < summary.num_allocations; ++i) {
    tonnage_allocation a = TONNAGE_INIT(tonnage_allocation);
    if (tonnage_plan_get_allocation(plan, i, &a, error) != TONNAGE_OK) return 1;
    printf("%s: %lld x %s, ITL %.1f ms\n", a.server, (long long)a.num_replicas, a.accelerator,
           a.itl_ms);
  }
  for (size_t i = 0; i < summary.num_unallocated; ++i) {
    tonnage_unallocated u = TONNAGE_INIT(tonnage_unallocated);
    if (tonnage_plan_get_unallocated(plan, i, &u, error) != TONNAGE_OK) return 1;
    printf("%s: %s\n", u.server, u.reason);
  }
  printf("total: %.2f cents/hour\n", summary.total_cost);
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  tonnage_error* error = tonnage_error_new();
  tonnage_system* system = NULL;
  tonnage_plan* plan = NULL;
  int failed = 1;
  if (tonnage_system_from_path(argv[1], &system, error) == TONNAGE_OK &&
      tonnage_system_set_load(system, "support-chat", 1200, 700, 220, error) == TONNAGE_OK &&
      tonnage_plan_make(system, NULL, &plan, error) == TONNAGE_OK) {
    failed = report(plan, error);
  }
  if (failed) fprintf(stderr, "%s\n", tonnage_error_message(error));
  tonnage_plan_free(plan);
  tonnage_system_free(system);
  tonnage_error_free(error);
  return failed;
}
