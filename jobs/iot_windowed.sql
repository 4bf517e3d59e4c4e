-- iot_windowed: the mean temperature of each device, minute by minute.
--
-- Input   topic iot_sensor_data: {"device_id", "timestamp": "2024-05-12 02:11:37.250", "temperature",
--         "humidity", "status"}, keyed by device_id.
-- Output  topic iot_windowed_data: {"device_id", "window_start", "window_end", "avg_temp"}.
--
-- `--brokers` says which Kafka, unless the tables have 'properties.bootstrap.servers'.

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

CREATE TABLE iot_windowed_data (
  device_id STRING,
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  avg_temp DOUBLE
) WITH (
  'connector' = 'kafka',
  'topic' = 'iot_windowed_data',
  'format' = 'json'
);

INSERT INTO iot_windowed_data
SELECT device_id, window_start, window_end, AVG(temperature)
FROM TABLE(TUMBLE(TABLE iot_sensor_data, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY device_id, window_start, window_end;
