-- alerts: every reading with the word whether its device is too hot.
--
-- Input   topic iot-raw-data: {"deviceId", "temperature", "humidity", "timestamp": milliseconds since
--         1970 UTC}.
-- Output  topic iot-processed-data: the same fields, and "alertStatus": ALERT above 30 degrees, NORMAL
--         otherwise. Exactly once.
--
-- `--brokers` says which Kafka, unless the tables have 'properties.bootstrap.servers'.

CREATE TABLE iot_raw_data (
  deviceId STRING,
  temperature DOUBLE,
  humidity DOUBLE,
  `timestamp` BIGINT
) WITH (
  'connector' = 'kafka',
  'topic' = 'iot-raw-data',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);

CREATE TABLE iot_processed_data (
  deviceId STRING,
  temperature DOUBLE,
  humidity DOUBLE,
  `timestamp` BIGINT,
  alertStatus STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'iot-processed-data',
  'format' = 'json'
);

INSERT INTO iot_processed_data
SELECT
  deviceId,
  temperature,
  humidity,
  `timestamp`,
  CASE WHEN temperature > 30.0 THEN 'ALERT' ELSE 'NORMAL' END
FROM iot_raw_data;
