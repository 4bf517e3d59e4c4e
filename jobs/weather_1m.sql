-- weather_1m: the weather at each station, minute by minute.
--
-- Input   topic weather_data: {"client", "ts": "2024-05-12 02:11:37", "temperature", "humidity"}, keyed
--         by client.
-- Output  topic weather_1m, compacted: for each client the averages of its last whole minute; row_date
--         and row_time are the last second of that minute (02:11:59 for 02:11 to 02:12).
--
-- `--brokers` says which Kafka, unless the tables have 'properties.bootstrap.servers'.

CREATE TABLE weather_data (
  client STRING,
  ts TIMESTAMP(3),
  temperature DOUBLE,
  humidity DOUBLE,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'weather_data',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json',
  'source.partitioned-by' = 'client'  -- the producer's key
);

CREATE TABLE weather_1m (
  client STRING,
  row_date DATE,
  row_time TIME(0),
  temperature DOUBLE,
  humidity DOUBLE,
  PRIMARY KEY (client) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'weather_1m',
  'key.format' = 'json',
  'value.format' = 'json'
);

INSERT INTO weather_1m
SELECT
  client,
  CAST(TUMBLE_ROWTIME(ts, INTERVAL '1' MINUTE) AS DATE),
  CAST(TUMBLE_ROWTIME(ts, INTERVAL '1' MINUTE) AS TIME(0)),
  AVG(temperature),
  AVG(humidity)
FROM weather_data
GROUP BY client, TUMBLE(ts, INTERVAL '1' MINUTE);
