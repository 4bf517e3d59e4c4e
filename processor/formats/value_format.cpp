#include "processor/formats/value_format.h"

#include <utility>

#include "processor/formats/avro_encoder.h"
#include "processor/formats/csv_decoder.h"
#include "processor/formats/csv_encoder.h"
#include "processor/formats/json_decoder.h"
#include "processor/formats/json_encoder.h"
#include "processor/formats/raw_decoder.h"
#include "processor/formats/raw_encoder.h"

namespace slipstream::sql {
namespace {

// A decoder of one class as one of any.
template <class Decoder>
Result<std::unique_ptr<RecordDecoder>> AsDecoder(Result<std::unique_ptr<Decoder>> decoder) {
  if (!decoder.ok()) return decoder.status();
  return std::unique_ptr<RecordDecoder>(*std::move(decoder));
}

}  // namespace

Result<std::unique_ptr<RecordDecoder>> MakeDecoder(const RecordFields& fields,
                                                   const ValueFormat& format) {
  if (format.kind == ValueFormat::Kind::kCsv) {
    return AsDecoder(CsvDecoder::Create(fields.all, fields.wanted, format.csv));
  }
  if (format.kind == ValueFormat::Kind::kAvro || format.kind == ValueFormat::Kind::kAvroConfluent) {
    return AsDecoder(AvroDecoder::Create(fields.all, fields.wanted, format.avro));
  }
  Schema wanted;
  for (const size_t field : fields.wanted)
    wanted.push_back(fields.all[field]);
  if (format.kind == ValueFormat::Kind::kRaw) {
    return AsDecoder(RawDecoder::Create(std::move(wanted)));
  }
  if (format.kind == ValueFormat::Kind::kDebeziumJson) {
    return AsDecoder(DebeziumDecoder::Create(std::move(wanted), format.debezium));
  }
  return AsDecoder(JsonDecoder::Create(std::move(wanted), format.json));
}

Result<std::unique_ptr<RowEncoder>> MakeEncoder(const Schema& fields,
                                                std::vector<size_t> positions,
                                                const ValueFormat& format) {
  switch (format.kind) {
    case ValueFormat::Kind::kRaw:
      return std::unique_ptr<RowEncoder>(std::make_unique<RawEncoder>(positions.front()));
    case ValueFormat::Kind::kCsv:
      for (const Field& field : fields) {
        if (IsCsvType(field.type)) continue;
        return Unimplemented("column " + field.name + ": writing " + field.type.ToString() +
                             " as CSV is not supported");
      }
      return std::unique_ptr<RowEncoder>(
          std::make_unique<CsvEncoder>(std::move(positions), format.csv));
    case ValueFormat::Kind::kDebeziumJson:
      return Unimplemented("writing 'debezium-json' is not supported");
    case ValueFormat::Kind::kAvro:
    case ValueFormat::Kind::kAvroConfluent:
      return AvroEncoder::Create(fields, std::move(positions), format.avro);
    case ValueFormat::Kind::kJson:
      break;
  }
  return std::unique_ptr<RowEncoder>(
      std::make_unique<JsonEncoder>(fields, std::move(positions), format.json));
}

}  // namespace slipstream::sql
