{{/* Environment of any process: root. Written into each pod, so that hooks need no other object. */}}
{{- define "hadron.environment" -}}
- {name: HADRON_KAFKA, value: {{ .Values.kafkaBootstrap | quote }}}
- {name: HADRON_KAFKA_SECURITY, value: {{ .Values.kafkaSecurity | quote }}}
{{- if .Values.kafkaCaExistingSecret }}
- {name: HADRON_KAFKA_CA, value: /etc/hadron/kafka/ca.crt}
{{- end }}
{{- with .Values.registryUrl }}
- {name: HADRON_REGISTRY, value: {{ . | quote }}}
{{- end }}
- {name: HADRON_NUM_SHARDS, value: {{ .Values.numShards | quote }}}
- {name: HADRON_ROLE_PREFIX, value: {{ .Values.rolePrefix | quote }}}
- {name: HADRON_REPLICATION, value: {{ .Values.replication | quote }}}
- {name: HADRON_HTTP_HOST, value: "0.0.0.0"}
- {name: HADRON_HTTP_PORT, value: {{ .Values.httpPort | quote }}}
- {name: HADRON_LOG_LEVEL, value: {{ .Values.logLevel | quote }}}
{{- with .Values.otlpEndpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- range $kind := list "Raw" "Ticks" "Audit" }}
{{- with index $.Values (printf "keep%sDays" $kind) }}
- {name: HADRON_KEEP_{{ upper $kind }}_DAYS, value: {{ . | quote }}}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* SASL credentials: name of a Secret, or empty. */}}
{{- define "hadron.kafkaCredentials" -}}
{{- if . }}
- name: HADRON_KAFKA_USERNAME
  valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: username}}
- name: HADRON_KAFKA_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: password}}
{{- end }}
{{- end -}}

{{/* One variable from one key of a Secret: variable, secret, key. */}}
{{- define "hadron.secretVariable" -}}
- name: {{ .variable }}
  valueFrom: {secretKeyRef: {name: {{ .secret | quote }}, key: {{ .key }}}}
{{- end -}}

{{/* What the Job migrate is told of the database: root. */}}
{{- define "hadron.migration" -}}
{{- include "hadron.secretVariable" (dict "variable" "HADRON_DATABASE_MIGRATE" "secret" .Values.migrateDatabaseExistingSecret "key" "url") }}
{{- with .Values.rolePasswordsExistingSecret }}
{{- $secret := . }}
{{- range $role := list "migrator" "sink" "reader" "auditor" "retirer" }}
- name: HADRON_{{ upper $role }}_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $secret | quote }}, key: {{ $role }}, optional: true}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "hadron.databaseVariable" -}}
{{- include "hadron.secretVariable" (dict "variable" "HADRON_DATABASE" "secret" . "key" "url") -}}
{{- end -}}

{{/* Who signs, and where what was signed is kept: root. */}}
{{- define "hadron.signing" -}}
{{- if .Values.anchorVolumeClaim }}
- {name: HADRON_ANCHOR_KEY_FILE, value: /var/lib/hadron/anchor-key.pem}
- {name: HADRON_ANCHOR_FILE, value: /var/lib/hadron/anchors.jsonl}
{{- end }}
{{- end -}}

{{- define "hadron.redisVariable" -}}
{{- include "hadron.secretVariable" (dict "variable" "HADRON_REDIS" "secret" . "key" "url") -}}
{{- end -}}
