{{- define "hadron.fullname" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "hadron.serviceAccountName" -}}
{{- default (include "hadron.fullname" .) .Values.serviceAccountName -}}
{{- end -}}

{{- define "hadron.image" -}}
{{- if .Values.imageDigest -}}
{{ .Values.imageRepository }}@{{ .Values.imageDigest }}
{{- else -}}
{{ .Values.imageRepository }}:{{ default .Chart.AppVersion .Values.imageTag }}
{{- end -}}
{{- end -}}

{{/* What a selector may use: never changes over the life of a release. */}}
{{- define "hadron.selectorLabels" -}}
app.kubernetes.io/name: hadron
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "hadron.labels" -}}
{{ include "hadron.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}
