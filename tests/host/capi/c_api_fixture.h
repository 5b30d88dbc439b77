/* SPDX-FileCopyrightText: The tonnage authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the C interface share: checks that print and count, and a small fleet. */
#ifndef TONNAGE_TESTS_C_API_FIXTURE_H
#define TONNAGE_TESTS_C_API_FIXTURE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tonnage/tonnage.h"

static int failures = 0;

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: %s is false\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                              \
    }                                                                          \
  } while (0)

/* The call returns this status and leaves a message exactly when it fails. */
#define CHECK_STATUS(expected, call)                                                  \
  do {                                                                                \
    const tonnage_status got_ = (call);                                               \
    if (got_ != (expected)) {                                                         \
      fprintf(stderr, "%s:%d: %s: %s, expected %s (%s)\n", __FILE__, __LINE__, #call, \
              tonnage_status_name(got_), tonnage_status_name(expected),               \
              tonnage_error_message(error));                                          \
      ++failures;                                                                     \
    }                                                                                 \
    CHECK((got_ == TONNAGE_OK) == (tonnage_error_message(error)[0] == '\0'));         \
  } while (0)

static const char kFleet[] =
    "{\"system\": {"
    "\"acceleratorData\": {\"accelerators\": ["
    "  {\"name\": \"A\", \"type\": \"Acard\", \"multiplicity\": 1, \"memSize\": 80, \"memBW\": "
    "2000,"
    "   \"power\": {\"idle\": 50, \"full\": 400, \"midPower\": 300, \"midUtil\": 0.5},"
    "   \"cost\": 100},"
    "  {\"name\": \"B\", \"type\": \"Bcard\", \"multiplicity\": 2, \"memSize\": 160,"
    "   \"memBW\": 4000, \"power\": {\"idle\": 90, \"full\": 900, \"midPower\": 600,"
    "   \"midUtil\": 0.5}, \"cost\": 150}]},"
    "\"modelData\": {\"models\": ["
    "  {\"name\": \"m\", \"acc\": \"A\", \"accCount\": 1, \"maxBatchSize\": 16, \"atTokens\": 128,"
    "   \"perfParms\": {\"alpha\": 10, \"beta\": 0.1, \"gamma\": 0.0001}},"
    "  {\"name\": \"m\", \"acc\": \"B\", \"accCount\": 1, \"maxBatchSize\": 32, \"atTokens\": 128,"
    "   \"perfParms\": {\"alpha\": 5, \"beta\": 0.05, \"gamma\": 0.00005}}]},"
    "\"serviceClassData\": {\"serviceClasses\": ["
    "  {\"name\": \"Gold\", \"priority\": 1, \"modelTargets\": ["
    "    {\"model\": \"m\", \"slo-itl\": 40, \"slo-ttft\": 500}]}]},"
    "\"serverData\": {\"servers\": ["
    "  {\"name\": \"s1\", \"class\": \"Gold\", \"model\": \"m\", \"minNumReplicas\": 1,"
    "   \"maxQueueSize\": 32,"
    "   \"currentAlloc\": {\"accelerator\": \"A\", \"numReplicas\": 1, \"maxBatch\": 16,"
    "   \"cost\": 100, \"load\": {\"arrivalRate\": 60, \"avgInTokens\": 100,"
    "   \"avgOutTokens\": 100}}},"
    "  {\"name\": \"s2\", \"class\": \"Gold\", \"model\": \"m\", \"maxQueueSize\": 32,"
    "   \"currentAlloc\": {\"load\": {\"arrivalRate\": 30, \"avgInTokens\": 100,"
    "   \"avgOutTokens\": 50}}}]},"
    "\"optimizerData\": {\"optimizer\": {\"unlimited\": false, \"saturationPolicy\": \"None\"}},"
    "\"capacityData\": {\"count\": [{\"type\": \"Acard\", \"count\": 4},"
    "  {\"type\": \"Bcard\", \"count\": 4}]}}}";

static tonnage_error* error;

static tonnage_system* make_system(void) {
  tonnage_system* system = NULL;
  CHECK_STATUS(TONNAGE_OK, tonnage_system_from_json(kFleet, strlen(kFleet), &system, error));
  if (system == NULL) exit(EXIT_FAILURE); /* nothing below can be tested */
  return system;
}

static tonnage_plan* make_plan(const tonnage_system* system) {
  tonnage_plan* plan = NULL;
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_make(system, NULL, &plan, error));
  if (plan == NULL) exit(EXIT_FAILURE);
  return plan;
}

static tonnage_plan_summary summary_of(const tonnage_plan* plan) {
  tonnage_plan_summary summary = TONNAGE_INIT(tonnage_plan_summary);
  CHECK_STATUS(TONNAGE_OK, tonnage_plan_get_summary(plan, &summary, error));
  return summary;
}

/* Exit status of a test program. */
static int finish(void) {
  tonnage_error_free(error);
  if (failures > 0) fprintf(stderr, "%d checks failed\n", failures);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
