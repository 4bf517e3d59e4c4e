#include "producer/flights/carriers.h"

#include <algorithm>
#include <array>

namespace slipstream::producer {
namespace {

struct Carrier {
  std::string_view code;
  std::string_view name;
};

// Sorted by code.
constexpr std::array kCarriers = {
    Carrier{"9E", "Endeavor Air Inc."},
    Carrier{"AA", "American Airlines Inc."},
    Carrier{"AQ", "Aloha Airlines Inc."},
    Carrier{"AS", "Alaska Airlines Inc."},
    Carrier{"B6", "JetBlue Airways"},
    Carrier{"CO", "Continental Air Lines Inc."},
    Carrier{"DH", "Independence Air"},
    Carrier{"DL", "Delta Air Lines Inc."},
    Carrier{"EA", "Eastern Air Lines Inc."},
    Carrier{"EV", "ExpressJet Airlines Inc."},
    Carrier{"F9", "Frontier Airlines Inc."},
    Carrier{"FL", "AirTran Airways Corporation"},
    Carrier{"G4", "Allegiant Air"},
    Carrier{"HA", "Hawaiian Airlines Inc."},
    Carrier{"HP", "America West Airlines Inc."},
    Carrier{"KH", "Aloha Air Cargo"},
    Carrier{"ML", "Midway Airlines Inc."},
    Carrier{"MQ", "Envoy Air"},
    Carrier{"NK", "Spirit Air Lines"},
    Carrier{"NW", "Northwest Airlines Inc."},
    Carrier{"OH", "PSA Airlines Inc."},
    Carrier{"OO", "SkyWest Airlines Inc."},
    Carrier{"PA", "Pan American World Airways"},
    Carrier{"PI", "Piedmont Aviation Inc."},
    Carrier{"PS", "Pacific Southwest Airlines"},
    Carrier{"QX", "Horizon Air"},
    Carrier{"TW", "Trans World Airways LLC"},
    Carrier{"TZ", "ATA Airlines"},
    Carrier{"UA", "United Air Lines Inc."},
    Carrier{"US", "US Airways Inc."},
    Carrier{"VX", "Virgin America"},
    Carrier{"WN", "Southwest Airlines Co."},
    Carrier{"XE", "ExpressJet Airlines Inc. (1)"},
    Carrier{"YV", "Mesa Airlines Inc."},
    Carrier{"YX", "Republic Airline"},
};
static_assert(std::is_sorted(kCarriers.begin(),
                             kCarriers.end(),
                             [](const Carrier& a, const Carrier& b) { return a.code < b.code; }));

}  // namespace

std::string_view CarrierName(std::string_view code) {
  const auto* found = std::lower_bound(
      kCarriers.begin(),
      kCarriers.end(),
      code,
      [](const Carrier& carrier, std::string_view wanted) { return carrier.code < wanted; });
  return found != kCarriers.end() && found->code == code ? found->name : std::string_view{};
}

}  // namespace slipstream::producer
