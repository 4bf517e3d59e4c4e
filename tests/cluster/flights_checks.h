#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/cluster/flight_truth.h"
#include "tests/support/kafka_client.h"

// Comparisons of what the jobs stored with the truth. They fail the current test, naming the first
// few rows that differ.

namespace slipstream::test_support {

// flights_by_carrier, as FlightsPipeline::StoredFlights() reads it: every flight once, in the
// folder of its carrier, every field as in the file.
void ExpectStoredFlights(const FlightTruth& truth,
                         const std::map<std::string, std::vector<std::string>>& lines_by_carrier);

// flights_structured: every flight once, under its origin as the key, with its event time.
void ExpectStructuredFlights(const FlightTruth& truth, const std::vector<KafkaRecord>& records);

// flights_delays.
void ExpectDelays(const FlightTruth& truth, const std::vector<std::string>& lines);

// carrier_report.
void ExpectCarriers(const FlightTruth& truth, const std::vector<std::string>& lines);

}  // namespace slipstream::test_support
