-- sensor_anomalies: readings that are far from what their device has lately measured.
--
-- Input   topic iot_sensor_data: {"device_id", "timestamp": "2024-05-12 02:11:37.250", "temperature",
--         "humidity", "status"}, keyed by device_id.
-- Output  topic sensor_anomalies, keyed by device_id: the reading, mean and deviation of the device's
--         last 61 readings, that one included, and how many deviations it is away.
--
-- A reading is an anomaly if it is more than 4 deviations from the mean, once its device has given 20
-- others. sensor_anomalies_robust.sql does the same with median and MAD, which anomalies themselves
-- hardly move. `--brokers` says which Kafka, unless the tables have 'properties.bootstrap.servers'.

CREATE TABLE iot_sensor_data (
  device_id STRING,
  `timestamp` STRING,
  temperature DOUBLE,
  humidity DOUBLE,
  status STRING,
  ts AS TO_TIMESTAMP(`timestamp`, 'yyyy-MM-dd HH:mm:ss.SSS'),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'iot_sensor_data',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json',
  'source.partitioned-by' = 'device_id'  -- the producer's key
);

CREATE TABLE sensor_anomalies (
  device_id STRING,
  ts TIMESTAMP(3),
  temperature DOUBLE,
  mean DOUBLE,
  deviation DOUBLE,
  score DOUBLE
) WITH (
  'connector' = 'kafka',
  'topic' = 'sensor_anomalies',
  'key.format' = 'json',
  'key.fields' = 'device_id',
  'value.format' = 'json'
);

CREATE VIEW readings AS
SELECT
  device_id,
  ts,
  temperature,
  AVG(temperature) OVER recent AS mean,
  STDDEV_POP(temperature) OVER recent AS deviation,
  COUNT(*) OVER recent AS readings
FROM iot_sensor_data
WHERE temperature IS NOT NULL
WINDOW recent AS (
  PARTITION BY device_id
  ORDER BY ts
  ROWS BETWEEN 60 PRECEDING AND CURRENT ROW
);

INSERT INTO sensor_anomalies
SELECT
  device_id,
  ts,
  temperature,
  mean,
  deviation,
  ABS(temperature - mean) / deviation
FROM readings
WHERE readings > 20 AND ABS(temperature - mean) > 4 * deviation;
